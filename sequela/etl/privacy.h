#pragma once

#include <string>
#include <vector>

#include "sequela/etl/plan.h"

namespace sequela {

// Columns that go into codes, texts or further columns of the events and whose names say that they
// tell who somebody is: names, addresses, phone numbers, free text. "patients.LAST", in order.
std::vector<std::string> identifying_columns(const EtlPlan& plan);

}  // namespace sequela
