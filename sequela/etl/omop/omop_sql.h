#pragma once

#include <string>
#include <vector>

#include "sequela/etl/source_table.h"

namespace sequela {

// Pieces of SQL over an OMOP table `t`.

// A column as BIGINT, null where it is 0 or is not there.
std::string omop_id(const SourceTable& table, const std::string& column);
// A column as VARCHAR; "NULL" where it is not there.
std::string omop_text(const SourceTable& table, const std::string& column);
// The first of these columns that has a time, a date counting as the end of its day (or, for a
// birth, as its start); "NULL" if the table has none of them.
enum class DateMeans { end_of_day, start_of_day };
std::string omop_time(const SourceTable& table, const std::vector<std::string>& columns,
                      DateMeans means);
// True where one of the columns has a text and omop_time() has none.
std::string omop_time_failed(const SourceTable& table, const std::vector<std::string>& columns,
                             const std::string& time);

// The code of a concept id by OMOP's fixed ids, or "OMOP_CONCEPT_ID/<id>"; null for a null id.
std::string omop_fixed_code(const std::string& id);

// A macro that omop_time() uses.
std::string omop_macro();

}  // namespace sequela
