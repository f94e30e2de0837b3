#include <algorithm>
#include <iomanip>
#include <map>
#include <sstream>
#include <stdexcept>

#include "sequela/tokenizer/sequence/code_forms.h"
#include "sequela/tokenizer/sequence/vocabulary_mapper.h"

namespace sequela {
namespace {

constexpr auto kUnknown = static_cast<size_t>(MapStep::unknown);

int64_t sum(const std::array<int64_t, kNumMapSteps>& counts) {
  int64_t total = 0;
  for (const int64_t count : counts) total += count;
  return total;
}

double share_known(const std::array<int64_t, kNumMapSteps>& counts) {
  const int64_t total = sum(counts);
  return total == 0 ? 0 : 1 - static_cast<double>(counts[kUnknown]) / static_cast<double>(total);
}

void write_row(const MappingReport::Row& row, std::ostringstream* out) {
  *out << std::left << std::setw(18) << row.vocabulary << std::right;
  for (int step = 0; step < kNumMapSteps; ++step) {
    *out << std::setw(12) << row.num_codes[static_cast<size_t>(step)];
  }
  *out << std::setw(14) << sum(row.num_events) << std::fixed << std::setprecision(2)
       << std::setw(10) << 100 * share_known(row.num_events) << " %\n";
}

}  // namespace

const char* map_step_name(MapStep step) {
  constexpr const char* kNames[] = {"exact", "normalised", "mapped", "ancestor", "unknown"};
  return kNames[static_cast<int>(step)];
}

double MappingReport::coverage() const {
  return share_known(total.num_events);
}
double MappingReport::coverage_of_codes() const {
  return share_known(total.num_codes);
}

std::string MappingReport::text() const {
  std::ostringstream out;
  out << std::left << std::setw(18) << "codes" << std::right;
  for (int step = 0; step < kNumMapSteps; ++step) {
    out << std::setw(12) << map_step_name(static_cast<MapStep>(step));
  }
  out << std::setw(14) << "events" << std::setw(12) << "known\n";
  for (const Row& row : rows) write_row(row, &out);
  write_row(total, &out);
  if (!unknown.empty()) out << "most frequent unknown codes:\n";
  for (const Unknown& entry : unknown)
    out << "  " << entry.code << "  " << entry.num_events << "\n";
  return out.str();
}

double VocabularyMapper::get_coverage(std::span<const std::string> codes) {
  if (codes.empty()) return 0;
  int64_t num_known = 0;
  for (const std::string& code : codes) num_known += match(code).step != MapStep::unknown;
  return static_cast<double>(num_known) / static_cast<double>(codes.size());
}

MappingReport VocabularyMapper::report(std::span<const std::string> codes,
                                       std::span<const int64_t> counts, int64_t max_unknown) {
  if (!counts.empty() && counts.size() != codes.size()) {
    throw std::invalid_argument("there must be one count for each code");
  }
  MappingReport report;
  report.total.vocabulary = "all";
  std::map<std::string, MappingReport::Row, std::less<>> rows;
  for (size_t i = 0; i < codes.size(); ++i) {
    const std::string_view prefix = code_prefix(codes[i]);
    const std::string name(prefix.empty() ? "(none)" : prefix);
    MappingReport::Row& row = rows.try_emplace(name, MappingReport::Row{name}).first->second;
    const auto step = static_cast<size_t>(match(codes[i]).step);
    const int64_t num_events = counts.empty() ? 1 : counts[i];
    for (MappingReport::Row* to : {&row, &report.total}) {
      ++to->num_codes[step];
      to->num_events[step] += num_events;
    }
    if (step == kUnknown) report.unknown.push_back({codes[i], num_events});
  }
  for (auto& [name, row] : rows) report.rows.push_back(std::move(row));
  std::sort(report.unknown.begin(), report.unknown.end(), [](const auto& a, const auto& b) {
    return std::tie(b.num_events, a.code) < std::tie(a.num_events, b.code);
  });
  if (static_cast<int64_t>(report.unknown.size()) > max_unknown) {
    report.unknown.resize(static_cast<size_t>(std::max<int64_t>(0, max_unknown)));
  }
  return report;
}

}  // namespace sequela
