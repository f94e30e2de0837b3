#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sequela {

// All options of `sequela report`.
struct ReportOptions {
  std::vector<std::string> runs;  // folders that other commands made (report/runs.h)
  std::string out;                // the page; empty = report.html in the first run's folder

  // A patient's timeline, with the risks by the model's own hazards; without `patient` there is
  // none.
  std::optional<int64_t> patient;
  std::string meds, model;         // with `patient`
  std::vector<std::string> tasks;  // codes whose risk is shown; empty = the five likeliest
  double horizon_days = 365;
  int num_threads = 1;
  int64_t memory_bytes = int64_t{1} << 30;

  void validate() const;  // ConfigError
};

// Makes one HTML page of finished runs that needs no network, and returns where it lies. It is
// written anew each time. Errors: those of read_run() and
// patient_timeline().
std::string report(const ReportOptions& options);

}  // namespace sequela
