#pragma once

namespace sequela {

// The `sequela` command: parses, calls the library, and is alone in turning errors into one line on
// stderr and an exit code: 0 done, 2 usage, 3 bad data, 4 missing or corrupt model or file, 5
// resources, 128 + signal, 1 anything else.
int run(int argc, char** argv);

}  // namespace sequela
