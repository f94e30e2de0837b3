#include "sequela/etl/messy/messy.h"

#include <algorithm>
#include <list>
#include <set>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/etl/messy/frame.h"
#include "sequela/etl/messy/messy_codes.h"

namespace sequela {
namespace {

ValueType value_type(SqlType type) {
  switch (type) {
    case SqlType::integer:
    case SqlType::duration:
      return ValueType::integer;
    case SqlType::real:
      return ValueType::real;
    case SqlType::boolean:
      return ValueType::boolean;
    case SqlType::date:
    case SqlType::timestamp:
      return ValueType::time;
    default:
      return ValueType::text;
  }
}

void append(const std::vector<std::string>& from, std::vector<std::string>* to) {
  for (const std::string& name : from) {
    if (std::ranges::find(*to, name) == to->end()) to->push_back(name);
  }
}

// Every column that a table's expressions and joins read, of whatever table it is.
std::vector<std::string> wanted_columns(const MessyTable& table) {
  std::vector<std::string> names = columns_of(table.subject_id.expression);
  for (const MessyValue& column : table.columns) append(columns_of(column.expression), &names);
  for (const MessyJoin& join : table.joins) append(join.left_keys, &names);
  for (const MessyEvent& event : table.events) {
    append(columns_of(event.code.expression), &names);
    if (event.time) append(columns_of(event.time->expression), &names);
    for (const MessyValue& column : event.columns) append(columns_of(column.expression), &names);
    for (const MessyMetadata& metadata : event.metadata) {
      if (metadata.table != kSelfMetadata) continue;
      for (const MessyValue& output : metadata.outputs)
        append(columns_of(output.expression), &names);
    }
  }
  return names;
}

class MessyPlanner {
 public:
  MessyPlanner(DuckDb& db, const MessyFile& file, const std::string& folder, ColumnTyping typing)
      : db_(db), file_(file), folder_(folder), typing_(typing) {}

  EtlPlan plan();

 private:
  void plan_table(const MessyTable& messy);
  bool join(const MessyJoin& join, size_t index, TablePlan* plan, Frame* frame);
  PlannedEvent block(const MessyTable& table, const MessyEvent& event, const Frame& frame);
  void add_column(const MessyValue& column, const Frame& frame, PlannedEvent* block,
                  std::string* failed);
  std::string components(const MessyEvent& event, const Frame& frame);
  void unify_extras();
  [[noreturn]] void fail(int line, const std::string& problem) const {
    throw ConfigError(str(file_.path, ": line ", line, ": ", problem));
  }

  DuckDb& db_;
  const MessyFile& file_;
  const std::string folder_;
  const ColumnTyping typing_;
  std::list<SourceTable> sources_;  // that frames refer to
  EtlPlan plan_;
  int32_t num_blocks_ = 0;
};

bool MessyPlanner::join(const MessyJoin& join, size_t index, TablePlan* plan, Frame* frame) {
  const auto right = find_table(db_, folder_, join.table);
  if (!right) {
    append({join.table}, &plan_.missing);
    return false;
  }
  std::vector<std::string> wanted = join.right_keys;
  for (const MessyJoin::Column& column : join.columns) append({column.name}, &wanted);
  const Frame of_right(db_, *right, "r", wanted, typing_);
  const std::string alias = str("j", index);
  std::string select, on, group;
  const auto find = [&](const Frame& place, const std::string& name) {
    try {
      return place.find(name);
    } catch (const ConfigError& error) {
      fail(join.line, error.what());
    }
  };
  for (size_t i = 0; i < join.right_keys.size(); ++i) {
    const TypedSql left = find(*frame, join.left_keys[i]), key = find(of_right, join.right_keys[i]);
    const bool is_same = left.type == key.type;
    select += str(i == 0 ? "" : ", ", is_same ? key.sql : as_text(key), " AS sequela_k", i);
    on += str(i == 0 ? "" : " AND ", is_same ? left.sql : as_text(left), " = ", alias, ".sequela_k",
              i);
    group += str(i == 0 ? "" : ", ", i + 1);
  }
  bool is_grouped = false;
  for (size_t i = 0; i < join.columns.size(); ++i) {
    const MessyJoin::Column& column = join.columns[i];
    TypedSql value = find(of_right, column.name);
    if (!column.aggregation.empty()) {
      is_grouped = true;
      value.sql =
          str(column.aggregation == "mean" ? "avg" : column.aggregation, "(", value.sql, ")");
      if (column.aggregation == "count") value.type = SqlType::integer;
      if (column.aggregation == "mean") value.type = SqlType::real;
    }
    if (frame->has(column.name)) continue;
    // Under its own name, so that identifying_columns() knows it.
    select += str(", ", value.sql, " AS ", sql_name(column.name));
    frame->add(column.name, {str(alias, ".", sql_name(column.name)), value.type, ""});
  }
  plan->from += str("\nLEFT JOIN (SELECT ", select, " FROM ", right->scan, " AS r",
                    is_grouped ? str(" GROUP BY ", group) : "", ") AS ", alias, " ON ", on);
  plan->files.insert(plan->files.end(), right->files.begin(), right->files.end());
  return true;
}

void MessyPlanner::add_column(const MessyValue& column, const Frame& frame, PlannedEvent* block,
                              std::string* failed) {
  const TypedSql value = frame.compile(column, file_.path);
  const auto note = [&](const std::string& fault) {
    if (!fault.empty())
      *failed += str(failed->empty() ? "" : " OR ", "coalesce(", fault, ", false)");
  };
  note(value.failed);
  if (column.name == "numeric_value") {
    block->numeric_value = str("TRY_CAST(", value.sql, " AS FLOAT)");
    if (value.type == SqlType::text)
      note(str("(", value.sql, " IS NOT NULL AND ", block->numeric_value, " IS NULL)"));
  } else if (column.name == "text_value") {
    block->text_value = as_text(value);
  } else {
    const ValueType type = value_type(value.type);
    const bool is_text = type == ValueType::text;
    block->extras.push_back({column.name, type,
                             is_text                   ? as_text(value)
                             : type == ValueType::time ? as_timestamp(value).sql
                                                       : value.sql});
  }
}

std::string MessyPlanner::components(const MessyEvent& event, const Frame& frame) {
  std::vector<MessyValue> parts;
  for (const std::string& name : component_names(event)) {
    parts.push_back({name, {MessyExpression::Kind::column, name}, event.code.line});
  }
  for (const MessyMetadata& metadata : event.metadata) {
    if (metadata.table != kSelfMetadata) continue;
    parts.insert(parts.end(), metadata.outputs.begin(), metadata.outputs.end());
  }
  std::string sql;
  for (const MessyValue& part : parts) {
    sql += str(sql.empty() ? "" : " || chr(31) || ", "coalesce(",
               as_text(frame.compile(part, file_.path)), ", chr(30))");
  }
  return sql;
}

PlannedEvent MessyPlanner::block(const MessyTable& table, const MessyEvent& event,
                                 const Frame& frame) {
  PlannedEvent block;
  block.name = block.label = table.name + "/" + event.name;
  const TypedSql code = frame.compile(event.code, file_.path);
  std::string failed = code.failed.empty() ? "" : str("coalesce(", code.failed, ", false)");
  block.code = as_text(code);
  if (event.time) {
    TypedSql time = frame.compile(*event.time, file_.path);
    try {
      time = as_timestamp(time);
    } catch (const ConfigError& error) {
      fail(event.time->line, str("time: ", error.what()));
    }
    block.time = time.sql;
    if (!time.failed.empty())
      failed += str(failed.empty() ? "" : " OR ", "coalesce(", time.failed, ", false)");
  }
  for (const MessyValue& column : event.columns) add_column(column, frame, &block, &failed);
  if (file_.dedups_text && !block.text_value.empty() && !block.numeric_value.empty()) {
    block.text_value =
        str("CASE WHEN TRY_CAST(", block.text_value, " AS FLOAT) = ", block.numeric_value,
            " THEN NULL ELSE ", block.text_value, " END");
  }
  block.failed = failed;
  block.is_visit = block.code.find("'Visit/") != std::string::npos;
  if (!event.metadata.empty()) block.components = components(event, frame);
  return block;
}

void MessyPlanner::plan_table(const MessyTable& messy) {
  const auto found = find_table(db_, folder_, messy.name);
  if (!found) {
    append({messy.name}, &plan_.missing);
    return;
  }
  sources_.push_back(*found);
  const SourceTable& source = sources_.back();
  TablePlan plan{.name = messy.name, .files = source.files, .from = source.scan + " AS t"};
  Frame frame(db_, source, "t", wanted_columns(messy), typing_);
  // Derived columns that a join names stand before it, the others see what it brings.
  std::set<std::string> keys;
  for (const MessyJoin& join : messy.joins)
    keys.insert(join.left_keys.begin(), join.left_keys.end());
  for (const MessyValue& column : messy.columns) {
    if (keys.contains(column.name)) frame.add(column.name, frame.compile(column, file_.path));
  }
  for (size_t i = 0; i < messy.joins.size(); ++i) {
    if (join(messy.joins[i], i, &plan, &frame)) continue;
    log_warning(str(messy.name, " is left out: it is joined to ", messy.joins[i].table,
                    ", which is not there"));
    return;
  }
  const TypedSql subject = frame.compile(messy.subject_id, file_.path);
  plan.subject_id =
      whole_number(subject.sql, subject.type == SqlType::integer ? "BIGINT" : "VARCHAR");
  for (const MessyValue& column : messy.columns) {
    if (!keys.contains(column.name)) frame.add(column.name, frame.compile(column, file_.path));
  }
  for (const MessyEvent& event : messy.events) {
    plan.blocks.push_back(block(messy, event, frame));
    add_messy_codes(db_, file_.path, folder_, event, num_blocks_++, &plan_);
  }
  plan_.tables.push_back(plan);
}

// A column has one type in all blocks: text where they differ, but a number is a number.
void MessyPlanner::unify_extras() {
  std::map<std::string, ValueType> types;
  const auto each = [this](const auto& visit) {
    for (TablePlan& table : plan_.tables) {
      for (PlannedEvent& block : table.blocks) {
        for (PlanColumn& extra : block.extras) visit(extra);
      }
    }
  };
  each([&](const PlanColumn& extra) {
    const auto [found, is_new] = types.emplace(extra.name, extra.type);
    if (is_new || found->second == extra.type) return;
    const auto is_number = [](ValueType type) {
      return type == ValueType::integer || type == ValueType::real;
    };
    found->second =
        is_number(found->second) && is_number(extra.type) ? ValueType::real : ValueType::text;
  });
  each([&](PlanColumn& extra) {
    if (types[extra.name] == extra.type) return;
    extra.type = types[extra.name];
    extra.sql = str("CAST(", extra.sql, " AS ", sql_type(extra.type), ")");
  });
}

EtlPlan MessyPlanner::plan() {
  plan_.source = "messy";
  plan_.dataset_name = file_.dataset_name.empty() ? "unnamed" : file_.dataset_name;
  plan_.dataset_version = file_.dataset_version.empty() ? "unknown" : file_.dataset_version;
  plan_.drops_duplicates = true;
  plan_.block_column = "source_block";
  for (const MessyTable& table : file_.tables) plan_table(table);
  if (plan_.tables.empty()) {
    throw DataError({.path = folder_},
                    str("none of the tables that ", file_.path, " names is here, such as ",
                        file_.tables[0].name),
                    "name the folder that holds them");
  }
  unify_extras();
  return plan_;
}

}  // namespace

EtlPlan plan_messy(DuckDb& db, const MessyFile& file, const std::string& folder,
                   ColumnTyping typing) {
  return MessyPlanner(db, file, folder, typing).plan();
}

}  // namespace sequela
