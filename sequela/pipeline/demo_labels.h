#pragma once

#include <string>
#include <vector>

namespace sequela {

// Makes the labels of the demo's tasks from what synth wrote below `folder`, and returns the tasks'
// names, sorted:
//
//   labels/TASK.parquet       512 at the most (positives up to half of them) of tuning subjects, to
//                             learn on, and 1,000 of held-out ones
//   evaluation_split.parquet  tuning subjects as train, held-out ones as they are
//   truth/TASK.parquet        of the held-out labels the probability that the generator gave, as
//                             predictions (meds/predictions.h)
std::vector<std::string> make_demo_labels(const std::string& folder);

}  // namespace sequela
