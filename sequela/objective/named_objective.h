#pragma once

namespace sequela {

// What any objective says of itself. Stateless; registry.h lists them all.
class NamedObjective {
 public:
  virtual ~NamedObjective() = default;
  virtual const char* name() const = 0;   // of --objective
  virtual const char* about() const = 0;  // what is learned, in a few words
};

}  // namespace sequela
