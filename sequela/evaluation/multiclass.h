#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sequela/evaluation/bootstrap.h"

namespace sequela {

// How good the probabilities of several exclusive classes are, such as stages of a disease.
struct MulticlassResult {
  int64_t num_rows = 0;
  int64_t num_classes = 0;  // that occur among the labels and are not all of them
  Interval accuracy = {};  // share of rows whose likeliest class (the first of equals) is the label
  Interval log_loss = {};  // mean, in nats; probabilities are held 1e-12 away from 0
  // Each class against all others, then the mean over classes; of two classes, class 1 alone.
  Interval auroc = {};
  Interval average_precision = {};
  // Mean over pairs of classes of the AUROC between them, by the probability of either: Hand and
  // Till, Machine Learning 45 (2001), 171-186.
  Interval hand_till = {};
  std::vector<int64_t> confusion;  // [C * C]: rows of label i whose likeliest class is j
};

//   probabilities  [n * C], row by row; labels [n], 0 .. C - 1; groups [n], each row's subject
//
// Without rows all figures are NaN, and without two classes those of the last three. Throws
// std::invalid_argument for sizes that do not fit and labels outside the classes.
MulticlassResult evaluate_multiclass(std::span<const double> probabilities,
                                     std::span<const int64_t> labels,
                                     std::span<const int64_t> groups,
                                     const BootstrapOptions& options = {});

// The five figures, in that order, of rows with weights (none: all 1); groups do not matter.
std::vector<double> multiclass_figures(std::span<const double> probabilities,
                                       std::span<const int64_t> labels,
                                       std::span<const double> weights = {});

}  // namespace sequela
