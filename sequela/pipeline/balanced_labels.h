#pragma once

#include <cstddef>
#include <vector>

#include "sequela/meds/labels.h"

namespace sequela {

bool is_positive(const Label& label);  // true, or a value above 0

// At most `count` of the labels, positives up to half of them, by a keyed hash of subject and time:
// AUROC's expectation stays as it is.
std::vector<Label> take_balanced_labels(std::vector<Label> labels, size_t count);

}  // namespace sequela
