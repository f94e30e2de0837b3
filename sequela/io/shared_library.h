#pragma once

#include <string>

namespace sequela {

// A library that is found when it is first needed, by its file's name. It stays loaded.
class SharedLibrary {
 public:
  // `what` it is for a user ("PostgreSQL's client library") and `fix`, what brings it. FileError
  // with both if it cannot be loaded.
  SharedLibrary(std::string file, std::string what, std::string fix);

  // FileError if the library lacks the function.
  template <class Function>
  void find(const char* symbol, Function* function) const {
    *function = reinterpret_cast<Function>(address(symbol));
  }
  // FileError.
  [[noreturn]] void fail(const std::string& reason) const;

 private:
  void* address(const char* symbol) const;

  const std::string file_, what_, fix_;
  void* handle_;
};

}  // namespace sequela
