#include "sequela/pipeline/coverage.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/core/number_text.h"
#include "sequela/pipeline/inspect_parts.h"

namespace sequela {

namespace {

// The largest vocabularies, and the sum of all others: codes without a vocabulary count as their
// own.
Json vocabularies_json(std::vector<VocabularyStats> all) {
  constexpr size_t kShown = 40;
  std::ranges::stable_sort(all, [](const VocabularyStats& a, const VocabularyStats& b) {
    return a.num_kept + a.num_dropped > b.num_kept + b.num_dropped;
  });
  if (all.size() > kShown) {
    VocabularyStats others{str("(", all.size() - kShown, " others)")};
    for (size_t i = kShown; i < all.size(); ++i) {
      others.num_in_data += all[i].num_in_data;
      others.num_kept += all[i].num_kept;
      others.num_dropped += all[i].num_dropped;
    }
    all.resize(kShown);
    all.push_back(std::move(others));
  }
  Json json = Json::object();
  for (const VocabularyStats& one : all) {
    json[one.vocabulary] = {
        {"in_data", one.num_in_data}, {"kept", one.num_kept}, {"dropped", one.num_dropped}};
  }
  return json;
}

int64_t number(const Json& coverage, const char* section, const char* name) {
  const auto found = coverage.find(section);
  if (found == coverage.end() || !found->contains(name)) return 0;
  return (*found)[name].get<int64_t>();
}

std::string percent(int64_t part, int64_t whole) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f %%",
                whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

// "with a parent       41.2 % of codes, 63.0 % of events"
std::string share_line(const char* label, int64_t codes, int64_t all_codes, int64_t events,
                       int64_t all_events) {
  char text[128];
  std::snprintf(text, sizeof(text), "  %-24s %s of codes, %s of events", label,
                percent(codes, all_codes).c_str(), percent(events, all_events).c_str());
  return text;
}

// What an objective told of its task first: "8,192 tasks".
std::string task_text(const Json& task) {
  if (task.empty()) return "no task";
  std::string words = task.begin().key();
  std::ranges::replace(words, '_', ' ');
  return str(with_thousands(task.begin().value().get<int64_t>()), " ", words);
}

class Lines {
 public:
  explicit Lines(const Json& coverage) : coverage_(coverage) {}

  void add(std::string line) { lines_.push_back(std::move(line)); }
  // A line about something skipped or odd, only if it happened.
  void add_if(const char* section, const char* name, const std::string& text) {
    const int64_t count = number(coverage_, section, name);
    if (count > 0) add(str("  ", with_thousands(count), " ", text));
  }
  std::vector<std::string> take() { return std::move(lines_); }

 private:
  const Json& coverage_;
  std::vector<std::string> lines_;
};

void add_codes(const Json& coverage, Lines& lines) {
  const int64_t codes = number(coverage, "ontology", "codes");
  const int64_t events = number(coverage, "ontology", "events");
  lines.add(str(with_thousands(codes), " distinct codes:"));
  lines.add(share_line("with a description", number(coverage, "ontology", "codes_described"), codes,
                       number(coverage, "ontology", "events_described"), events));
  lines.add(share_line("with a parent", number(coverage, "ontology", "codes_with_parent"), codes,
                       number(coverage, "ontology", "events_with_parent"), events));
  lines.add(share_line("with a token of their own",
                       number(coverage, "tokenizer", "codes_with_own_token"), codes,
                       number(coverage, "tokenizer", "events_with_own_token"), events));
  lines.add(share_line("with any token", number(coverage, "tokenizer", "codes_with_token"), codes,
                       number(coverage, "tokenizer", "events_with_token"), events));
}

void add_skipped(Lines& lines) {
  lines.add("Skipped or mended:");
  lines.add_if("events", "subjects_without_birth", "subjects without a birth (skipped)");
  lines.add_if("events", "subjects_with_several_births",
               "subjects with several births (the earliest counts)");
  lines.add_if("events", "events_before_birth", "events before birth (counted at birth)");
  lines.add_if("events", "non_finite_values", "values that are not finite");
  lines.add_if("events", "clipped_times", "times beyond year 9999 (brought back to its end)");
  lines.add_if("events", "rounded_values", "whole numbers with more digits than a float32 holds");
  lines.add_if("ontology", "dangling_relationships",
               "relationships to concepts that are not there");
  lines.add_if("ontology", "dangling_ancestors", "ancestors that are not there");
  lines.add_if("ontology", "broken_cycles", "cycles among codes (broken)");
  for (const char* side : {"train_batches", "val_batches"}) {
    lines.add_if(side, "subjects_without_label",
                 str("subjects of ", side, " without anything to predict (skipped)"));
    lines.add_if(
        side, "shortened_windows",
        str("subjects of ", side, " with more history than fits (the oldest is left out)"));
  }
}

void add_batches(const Json& coverage, Lines& lines) {
  for (const char* side : {"train_batches", "val_batches"}) {
    lines.add(str(side, ": ", with_thousands(number(coverage, side, "batches")), " batches, ",
                  with_thousands(number(coverage, side, "windows")), " subjects, ",
                  with_thousands(number(coverage, side, "tokens")), " tokens, ",
                  with_thousands(number(coverage, side, "labels")), " labels"));
  }
}

}  // namespace

Json to_json(const IngestReport& report) {
  return {{"shards", report.num_shards},
          {"subjects", report.num_subjects},
          {"events", report.num_events},
          {"static_events", report.num_static_events},
          {"codes", report.num_codes},
          {"subjects_without_birth", report.subjects_without_birth},
          {"subjects_with_several_births", report.subjects_with_several_births},
          {"events_before_birth", report.events_before_birth},
          {"non_finite_values", report.non_finite_values},
          {"clipped_times", report.clipped_times},
          {"rounded_values", report.rounded_values}};
}

Json to_json(const OntologyStats& stats, const OntologyCoverage& coverage) {
  return {{"concepts", stats.athena.num_concepts},
          {"dangling_relationships", stats.athena.num_dangling_relationships},
          {"dangling_ancestors", stats.athena.num_dangling_ancestors},
          {"broken_cycles", stats.num_broken_cycles},
          {"codes", coverage.num_codes},
          {"codes_described", coverage.num_codes_described},
          {"codes_with_parent", coverage.num_codes_with_parent},
          {"events", coverage.num_events},
          {"events_described", coverage.num_events_described},
          {"events_with_parent", coverage.num_events_with_parent},
          {"vocabularies", vocabularies_json(stats.vocabularies)}};
}

Json vocabulary_report(const Ontology& ontology, const Vocabulary& vocabulary) {
  std::vector<uint8_t> has_token(static_cast<size_t>(ontology.num_nodes()), 0);
  int64_t counts[3] = {0, 0, 0};  // by type: code, text, numeric
  for (const VocabularyEntry& entry : vocabulary.entries) {
    if (entry.type == VocabularyEntry::Type::unused) continue;
    ++counts[static_cast<int>(entry.type)];
    if (entry.type != VocabularyEntry::Type::code) continue;
    if (const auto node = ontology.find(entry.code_string)) has_token[*node] = 1;
  }
  int64_t own_codes = 0, own_events = 0, codes = 0, events = 0;
  for (int32_t node = 0; node < ontology.num_nodes(); ++node) {
    if (!ontology.in_data(node)) continue;
    bool has_any = false;
    for (const int32_t parent : ontology.all_parents(node)) has_any |= has_token[parent] != 0;
    own_codes += has_token[node];
    own_events += has_token[node] != 0 ? ontology.count(node) : 0;
    codes += has_any ? 1 : 0;
    events += has_any ? ontology.count(node) : 0;
  }
  return {{"tokens", static_cast<int64_t>(vocabulary.entries.size())},
          {"code_tokens", counts[0]},
          {"text_tokens", counts[1]},
          {"numeric_tokens", counts[2]},
          {"codes_with_own_token", own_codes},
          {"events_with_own_token", own_events},
          {"codes_with_token", codes},
          {"events_with_token", events}};
}

std::vector<std::string> coverage_lines(const Json& coverage) {
  Lines lines(coverage);
  lines.add(str(with_thousands(number(coverage, "events", "subjects")), " subjects, ",
                with_thousands(number(coverage, "events", "events")), " events (",
                with_thousands(number(coverage, "events", "static_events")), " without a time)"));
  add_codes(coverage, lines);
  lines.add(str(with_thousands(number(coverage, "tokenizer", "tokens")), " tokens, ",
                task_text(coverage.at("task"))));
  add_batches(coverage, lines);
  add_skipped(lines);
  return lines.take();
}

}  // namespace sequela
