#pragma once

#include <c10/core/Allocator.h>

namespace sequela {

// Memory of the test's device. The host cannot read it: whoever follows a pointer into it outside
// an OpenMemory ends with a segmentation fault, as with a GPU's memory.
c10::Allocator* other_memory();

bool is_other_memory(const void* pointer);

// Lets this process read and write it while one of these lives.
class OpenMemory {
 public:
  OpenMemory();
  ~OpenMemory();
  OpenMemory(const OpenMemory&) = delete;
  OpenMemory& operator=(const OpenMemory&) = delete;
};

}  // namespace sequela
