#pragma once

#include <c10/core/Allocator.h>

namespace sequela {

// Memory of the test's device. Its addresses are reserved and hold nothing: whoever follows a
// pointer into it ends with a segmentation fault, as with a GPU's. The values lie elsewhere.
c10::Allocator* other_memory();

// Where the values of such an address lie.
void* value_of(void* pointer);
const void* value_of(const void* pointer);
bool is_on_host(const void* pointer);  // whether such values lie there

}  // namespace sequela
