#pragma once

#include <type_traits>
#include <utility>

#include "python/bindings.h"

namespace sequela::python {

template <class Struct, class Member>
using Field = std::pair<const char*, Member Struct::*>;

// Makes the fields of a plain struct attributes; all there are, for it is copied and pickled by
// them.
template <class Struct, class... Members>
void register_fields(py::class_<Struct>& type, const Field<Struct, Members>&... fields) {
  (type.def_readwrite(fields.first, fields.second), ...);
  type.def(py::pickle(
      [=](const Struct& self) {
        py::dict state;
        ((state[fields.first] = self.*(fields.second)), ...);
        return state;
      },
      [=](const py::dict& state) {
        Struct self;
        ((self.*(fields.second) = state[fields.first].template cast<Members>()), ...);
        return self;
      }));
}

template <class Struct, class Member>
Field<Struct, Member> field(const char* name, Member Struct::*member) {
  return {name, member};
}

}  // namespace sequela::python
