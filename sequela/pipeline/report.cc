#include "sequela/pipeline/report.h"

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "sequela/pipeline/patient_timeline.h"
#include "sequela/report/build_page.h"
#include "sequela/report/render.h"

namespace sequela {

void ReportOptions::validate() const {
  if (runs.empty()) {
    throw ConfigError(
        "RUN is missing. Fix: name the folder of a finished run, sequela report metrics.");
  }
  if (patient.has_value() != !meds.empty() || meds.empty() != model.empty()) {
    throw ConfigError(
        "--patient, --meds and --model belong together. Fix: give all three or none.");
  }
}

std::string report(const ReportOptions& options) {
  options.validate();
  std::vector<FinishedRun> runs;
  for (const std::string& folder : options.runs) runs.push_back(read_run(folder));
  const std::string path =
      options.out.empty() ? options.runs.front() + "/report.html" : options.out;
  std::optional<PatientTimeline> patient;
  if (options.patient) {
    patient = patient_timeline({.subject_id = *options.patient,
                                .meds = options.meds,
                                .model = options.model,
                                .tasks = options.tasks,
                                .horizon_days = options.horizon_days,
                                .num_threads = options.num_threads,
                                .memory_bytes = options.memory_bytes});
  }
  write_file(path, render(build_page(runs, patient)));
  return path;
}

}  // namespace sequela
