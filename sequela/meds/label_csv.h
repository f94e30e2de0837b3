#pragma once

#include <string>
#include <vector>

#include "sequela/meds/labels.h"

namespace sequela {

// Appends the labels of a CSV file (meds/labels.h) and notes what its times were.
void read_label_csv(const std::string& path, ZoneRule zone_rule, TimeNotes* notes,
                    std::vector<Label>* labels);

}  // namespace sequela
