#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/objective/objective.h"

namespace sequela {

// The CLMBR task: which entries of the dictionary are predicted as next codes.
struct ClmbrTask {
  int64_t vocab_size = 0;  // the first so many entries of the dictionary: femr's clmbr_vocab_size
  // How often each is the label of a token on the train side, all tokens of all records counted.
  // Empty in files without it: what a model gains over these frequencies is then not told.
  std::vector<int64_t> counts;

  int64_t num_labels() const;
  static ClmbrTask read(const std::string& path);  // clmbr_task.json; FileError
  void write(const std::string& path) const;       // atomic
};

// Counts the labels of the train side. The same for any number of threads. DataError if there is
// none.
ClmbrTask fit_clmbr_task(const ObjectiveRecords& records, int64_t vocab_size, int num_threads);

}  // namespace sequela
