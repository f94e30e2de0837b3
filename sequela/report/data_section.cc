#include "sequela/report/data_section.h"

#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/number_text.h"
#include "sequela/report/json_fields.h"

namespace sequela {
namespace {

constexpr size_t kShownVocabularies = 25;

ShownFigure events_figure(const Json& data) {
  PageTable table{{"Events", "Subjects"}, {}};
  for (const Json& bin : list_field(field(data, "events_per_subject"), "histogram")) {
    const int64_t from = count_field(bin, "from"), to = count_field(bin, "to");
    table.rows.push_back(
        {from == to ? with_thousands(from) : with_thousands(from) + " to " + with_thousands(to),
         count_field(bin, "num_subjects")});
  }
  return {"Events per subject",
          "",
          {.kind = ChartKind::bars, .category = "Events", .x = "Subjects"},
          std::move(table)};
}

ShownFigure vocabulary_figure(const Json& data) {
  PageTable table{{"Vocabulary", "Events", "Codes"}, {}};
  const Json& all = list_field(data, "vocabularies");
  for (size_t i = 0; i < all.size() && i < kShownVocabularies; ++i) {
    table.rows.push_back({text_field(all[i], "vocabulary"), to_cell(field(all[i], "num_events")),
                          to_cell(field(all[i], "num_codes"))});
  }
  const bool is_cut = all.size() > kShownVocabularies;
  return {
      "Events by vocabulary",
      is_cut ? str("The ", kShownVocabularies, " with the most events, of ", all.size(), ".") : "",
      {.kind = ChartKind::bars, .category = "Vocabulary", .x = "Events"},
      std::move(table)};
}

void add_count(const Json& data, const char* key, const std::string& name, PageTable& table) {
  if (field(data, key).is_number())
    table.rows.push_back({name, with_thousands(count_field(data, key))});
}

PageTable counts_table(const Json& data) {
  PageTable table{{"What", "How many"}, {}};
  add_count(data, "num_subjects", "Subjects", table);
  add_count(data, "num_events", "Events", table);
  add_count(data, "num_static_events", "Events without a time", table);
  add_count(data, "num_valued_events", "Events with a value", table);
  add_count(data, "num_codes", "Distinct codes", table);
  for (const char* key : {"first_time", "last_time"}) {
    const std::string date = text_field(data, key);
    if (!date.empty()) {
      table.rows.push_back({std::string(key) == "first_time" ? "First time" : "Last time", date});
    }
  }
  const Json& splits = field(data, "splits");
  add_count(splits, "train", "Training subjects", table);
  add_count(splits, "tuning", "Tuning subjects", table);
  add_count(splits, "held_out", "Held-out subjects", table);
  const Json& quantiles = field(field(data, "events_per_subject"), "quantiles");
  add_count(quantiles, "0.5", "Events per subject, median", table);
  return table;
}

}  // namespace

std::vector<ShownFigure> data_figures(const Json& data) {
  std::vector<ShownFigure> figures;
  for (ShownFigure& figure :
       std::vector<ShownFigure>{events_figure(data), vocabulary_figure(data)}) {
    if (!figure.table.rows.empty()) figures.push_back(std::move(figure));
  }
  return figures;
}

Section data_section(const Json& data) {
  Section section{"Data", {ShownTable{"Counts", counts_table(data)}}, {}};
  for (ShownFigure& figure : data_figures(data)) section.blocks.emplace_back(std::move(figure));
  return section;
}

}  // namespace sequela
