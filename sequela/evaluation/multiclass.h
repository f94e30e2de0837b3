#pragma once

#include <cstdint>
#include <span>

#include "sequela/evaluation/bootstrap.h"

namespace sequela {

// How good the probabilities of several exclusive classes are, such as stages of a disease.
struct MulticlassResult {
  int64_t num_rows = 0;
  int64_t num_classes = 0;  // that occur among the labels and are not all of them
  double accuracy = 0;      // share of rows whose likeliest class is the label
  double log_loss = 0;      // mean, in nats; probabilities are held 1e-12 away from 0
  // Each class against all others, then the mean over classes; of two classes, class 1 alone.
  Interval auroc = {};
  Interval average_precision = {};
};

//   probabilities  [n * C], row by row; labels [n], 0 .. C - 1; groups [n], each row's subject
//
// Without rows all figures are NaN, and without two classes those of the last two. Throws
// std::invalid_argument for sizes that do not fit and labels outside the classes.
MulticlassResult evaluate_multiclass(std::span<const double> probabilities,
                                     std::span<const int64_t> labels,
                                     std::span<const int64_t> groups,
                                     const BootstrapOptions& options = {});

}  // namespace sequela
