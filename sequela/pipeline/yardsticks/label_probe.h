#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sequela/evaluation/matrix.h"
#include "sequela/features/embedder.h"
#include "sequela/train/yardstick.h"

namespace sequela {

struct LabelProbeOptions {
  std::string meds;                 // records of the labels: MEDS data set or meds_reader database
  std::string data;                 // what prepare made: ontology, dictionary, split
  std::vector<std::string> labels;  // a labels.parquet a task; the task's name is the file's
  std::string work_folder;          // decoded events go here while it lives
  int64_t max_labels = 2'000;       // of a file and side
  bool with_recall = false;
  ReadOut read_out = ReadOut::last;
  int num_threads = 1;
  int64_t memory_bytes = int64_t{1} << 30;
};

// What a linear model reads from the embeddings as they are now. Logistic regressions are fitted on
// the labels of subjects that pretraining trains on, and measured on those of all others.
//
//   eval/probe/TASK   AUROC of the outcome in TASK.parquet (true, or above 0). The regularisation
//                     is chosen by cross-validation on the fitting side
//   eval/probe        mean over the tasks
//
// Of more than max_labels labels of a file and side, a keyed hash takes as many, positives up to
// half of them: that leaves AUROC's expectation as it is.
//
// With recall, also how much of the record the embeddings hold: whether a given code stood in the
// 365 days up to the label, for up to 12 codes (by a keyed hash) in each of four classes by the
// share of labels for which it did:
//
//   eval/recall/1_3, /3_9, /9_27, /27_80   median AUROC of a class, by its bounds in percent
//   eval/recall                            median over all these codes
class LabelProbe : public Yardstick {
 public:
  // Refers to `model`. DataError for a file one of whose sides lacks positive or negative labels;
  // ConfigError for two files of one name.
  LabelProbe(Motor& model, const LabelProbeOptions& options);
  ~LabelProbe() override;

  Figures measure() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sequela
