#include "sequela/io/shared_library.h"

#include <dlfcn.h>

#include <utility>

#include "sequela/core/error.h"

namespace sequela {

SharedLibrary::SharedLibrary(std::string file, std::string what, std::string fix)
    : file_(std::move(file)),
      what_(std::move(what)),
      fix_(std::move(fix)),
      handle_(dlopen(file_.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ != nullptr) return;
  const char* reason = dlerror();
  fail(reason != nullptr ? reason : file_ + " cannot be loaded");
}

void SharedLibrary::fail(const std::string& reason) const {
  throw FileError(what_, reason, fix_);
}

void* SharedLibrary::address(const char* symbol) const {
  void* found = dlsym(handle_, symbol);
  if (found == nullptr) fail(str(file_, " lacks ", symbol));
  return found;
}

}  // namespace sequela
