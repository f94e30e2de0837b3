#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "sequela/evaluation/matrix.h"
#include "sequela/features/embedder.h"
#include "sequela/meds/event_store.h"
#include "sequela/meds/labels.h"
#include "sequela/train/yardstick.h"

namespace sequela {

// How much of a record its embedding holds, by a linear reader: see label_probe.h.
class HistoryRecall {
 public:
  static constexpr int kCodesPerClass = 12;
  static constexpr std::array<double, 5> kBounds = {0.01, 0.03, 0.09, 0.27, 0.80};
  static constexpr double kDays = 365;

  // Chooses the codes. is_fitted: by label, whether the reader may learn from it.
  HistoryRecall(const EventStore& store, std::span<const Label> labels,
                std::vector<uint8_t> is_fitted, int num_threads);

  // Embeddings and states by label.
  Figures measure(const DenseMatrix& embeddings, std::span<const LabelState> states) const;

  // The chosen codes of a class, as ids of the store.
  const std::vector<int32_t>& codes(int frequency_class) const { return codes_[frequency_class]; }

 private:
  double read_code(const DenseMatrix& fitted, const DenseMatrix& tested, int32_t code,
                   std::span<const std::vector<int64_t>, 2> rows) const;

  std::vector<std::vector<int32_t>> codes_of_label_;  // ascending, of the last year
  std::vector<uint8_t> is_fitted_;
  std::array<std::vector<int32_t>, 4> codes_;
  const int num_threads_;
};

}  // namespace sequela
