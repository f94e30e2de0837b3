#pragma once

#include <functional>
#include <string>

#include "sequela/io/time_column.h"
#include "sequela/label/code_matcher.h"
#include "sequela/label/column_rules.h"
#include "sequela/label/subject_record.h"
#include "sequela/meds/event_store.h"

namespace sequela {

// What a scan looks for; all must outlive it.
struct ScanTask {
  const ColumnRules& rules;
  CodeMatcher* matcher;
  bool has_values = true;  // some predicate or label asks for numeric_value
  ZoneRule zone_rule = ZoneRule::utc;
};

// True if a plan needs the events' numbers.
bool needs_values(const Plan& plan);

using SubjectVisitor = std::function<void(const SubjectRecord&)>;

// Reads a Parquet shard of a MEDS data set, one subject at a time in the order of the file; the
// record lives during the call. A subject's events must stand together, in any order of time. No
// more is held in memory than a part of a row group, a subject, and 8 bytes for each subject of the
// file. Throws DataError with path, row group, row, column and subject.
void scan_shard(const std::string& path, const ScanTask& task, const SubjectVisitor& visit);

// The same of subjects of an event store. The store has the columns of the rules as properties.
void scan_store(const EventStore& store, int64_t first_subject, int64_t end_subject,
                const ScanTask& task, const SubjectVisitor& visit);

}  // namespace sequela
