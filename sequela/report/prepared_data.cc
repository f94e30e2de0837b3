#include "sequela/report/prepared_data.h"

#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/number_text.h"
#include "sequela/report/data_section.h"
#include "sequela/report/json_fields.h"

namespace sequela {
namespace {

struct Count {
  const char* part;
  const char* key;
  const char* text;
};

constexpr Count kCounts[] = {
    {"events", "subjects", "Subjects"},
    {"events", "events", "Events"},
    {"events", "static_events", "Events without a time"},
    {"contents", "num_valued_events", "Events with a value"},
    {"events", "shards", "Shards"},
    {"ontology", "codes", "Distinct codes"},
    {"ontology", "concepts", "Concepts of the ontology"},
    {"tokenizer", "tokens", "Tokens of the dictionary"},
    {"tokenizer", "code_tokens", "of codes"},
    {"tokenizer", "numeric_tokens", "of values"},
    {"tokenizer", "text_tokens", "of texts"},
    {"task", "tasks", "Codes whose time is predicted"},
    {"task", "bins", "Time bins"},
    {"train_batches", "windows", "Training subjects"},
    {"train_batches", "tokens", "Training tokens"},
    {"train_batches", "labels", "Training labels"},
    {"val_batches", "windows", "Validation subjects"},
    {"val_batches", "tokens", "Validation tokens"},
    {"val_batches", "labels", "Validation labels"},
};

constexpr Count kSkipped[] = {
    {"events", "subjects_without_birth", "Subjects without a birth: skipped"},
    {"events", "subjects_with_several_births", "Subjects with several births: the earliest counts"},
    {"events", "events_before_birth", "Events before birth: counted at birth"},
    {"events", "non_finite_values", "Values that are not finite"},
    {"events", "clipped_times", "Times beyond year 9999: brought back to its end"},
    {"events", "rounded_values", "Whole numbers with more digits than a float32 holds"},
    {"ontology", "dangling_relationships", "Relationships to concepts that are not there"},
    {"ontology", "dangling_ancestors", "Ancestors that are not there"},
    {"ontology", "broken_cycles", "Cycles among codes: broken"},
    {"train_batches", "subjects_without_label",
     "Training subjects without anything to predict: skipped"},
    {"val_batches", "subjects_without_label",
     "Validation subjects without anything to predict: skipped"},
    {"train_batches", "shortened_windows",
     "Training subjects with more history than fits: the oldest is left out"},
    {"val_batches", "shortened_windows",
     "Validation subjects with more history than fits: the oldest is left out"},
};

template <size_t n>
PageTable count_table(const Json& coverage, const Count (&counts)[n], const std::string& column,
                      bool with_zeros) {
  PageTable table{{column, "How many"}, {}};
  for (const Count& count : counts) {
    const bool is_of_contents = std::string_view(count.part) == "contents";
    const Json& value =
        field(field(is_of_contents ? field(coverage, "events") : coverage, count.part), count.key);
    if (!value.is_number_integer() || (!with_zeros && value == 0)) continue;
    table.rows.push_back({count.text, with_thousands(value.get<int64_t>())});
  }
  return table;
}

// Shares of codes and of events, in percent.
ShownFigure coverage_figure(const Json& coverage) {
  PageTable table{{"Codes", "Of", "Percent"}, {}};
  const Json& ontology = field(coverage, "ontology");
  const auto add = [&](const char* part, const char* suffix, const char* text) {
    for (const char* of : {"codes", "events"}) {
      const double all = number_field(ontology, of);
      const double some = number_field(field(coverage, part), str(of, "_", suffix));
      if (all > 0 && some >= 0) table.rows.push_back({text, of, 100 * some / all});
    }
  };
  add("ontology", "described", "with a description");
  add("ontology", "with_parent", "with a parent");
  add("tokenizer", "with_own_token", "with a token of their own");
  add("tokenizer", "with_token", "with any token");
  ShownFigure figure{"Coverage",
                     "Of the distinct codes, and of their events.",
                     {.kind = ChartKind::bars, .series = "Of", .category = "Codes", .x = "Percent"},
                     std::move(table)};
  figure.chart.x_range = {0, 100};
  return figure;
}

ShownFigure vocabularies_figure(const Json& coverage) {
  constexpr size_t kShown = 25;
  PageTable table{{"Vocabulary", "Concepts", "Number"}, {}};
  const Json& all = field(field(coverage, "ontology"), "vocabularies");
  size_t shown = 0;
  if (all.is_object()) {
    for (const auto& [name, counts] : all.items()) {
      if (shown++ == kShown) break;
      for (const char* key : {"in_data", "kept", "dropped"}) {
        const char* text = std::string(key) == "in_data" ? "in the data"
                           : std::string(key) == "kept"  ? "kept as ancestors"
                                                         : "dropped";
        if (field(counts, key).is_number())
          table.rows.push_back({name, text, count_field(counts, key)});
      }
    }
  }
  return {"Codes by vocabulary",
          shown > kShown ? "The largest ones." : "",
          {.kind = ChartKind::bars,
           .series = "Concepts",
           .category = "Vocabulary",
           .x = "Number",
           .is_stacked = true},
          std::move(table)};
}

}  // namespace

void add_prepared_data(const Json& coverage, Page& page) {
  const Json& events = field(coverage, "events");
  page.summary += (page.summary.empty() ? "" : " · ") +
                  counted(count_field(events, "subjects"), "subject", "subjects") + " with " +
                  counted(count_field(events, "events"), "event", "events");
  Section section{
      "Prepared data", {ShownTable{"Counts", count_table(coverage, kCounts, "What", true)}}, {}};
  PageTable skipped = count_table(coverage, kSkipped, "What", false);
  if (skipped.rows.empty()) {
    section.blocks.emplace_back(Paragraph{"Nothing was skipped, nothing had to be mended."});
  } else {
    section.blocks.emplace_back(ShownTable{"Skipped or mended", std::move(skipped)});
  }
  std::vector<ShownFigure> figures = data_figures(field(events, "contents"));
  figures.push_back(coverage_figure(coverage));
  figures.push_back(vocabularies_figure(coverage));
  for (ShownFigure& figure : figures) {
    if (!figure.table.rows.empty()) section.blocks.emplace_back(std::move(figure));
  }
  page.sections.push_back(std::move(section));
}

}  // namespace sequela
