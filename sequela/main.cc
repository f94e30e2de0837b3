#include "sequela/cli/run.h"

int main(int argc, char** argv) {
  return sequela::run(argc, argv);
}
