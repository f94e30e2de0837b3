#pragma once

#include <string>

namespace sequela {

// What a report of a fault should say of the program and the machine, a line each: version, commit,
// torch, Arrow, CPU and cores, the instruction sets in use, how products of each precision are
// computed, GPUs. Takes no time.
std::string version_text();

// The same, with the rate of a matrix product in each precision measured on `num_threads` threads
// (a layer's size: 2,048 rows, 768 to 3,072 columns). Takes about two seconds.
std::string machine_text(int num_threads);

}  // namespace sequela
