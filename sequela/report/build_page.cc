#include "sequela/report/build_page.h"

#include <nlohmann/json.hpp>

#include "sequela/report/checklist.h"
#include "sequela/report/cohort.h"
#include "sequela/report/comparison.h"
#include "sequela/report/evaluation/evaluation.h"
#include "sequela/report/manifests.h"
#include "sequela/report/prepared_data.h"
#include "sequela/report/raw_records.h"
#include "sequela/report/training.h"

namespace sequela {
namespace {

void add_run(const FinishedRun& run, Page& page) {
  switch (run.kind) {
    case RunKind::evaluation:
      return add_evaluation(*run.content, page);
    case RunKind::training:
      return add_training(*run.content, run.name, page);
    case RunKind::prepared:
      return add_prepared_data(*run.content, page);
    case RunKind::comparison:
      return add_comparison(*run.content, page);
    case RunKind::cohort:
      return add_cohort(*run.content, run.name, page);
    case RunKind::raw_records:
      return add_raw_records(*run.content, run.name, page);
    case RunKind::bundle:
      return;  // its manifest says all
  }
}

std::string title_of(const std::vector<FinishedRun>& runs) {
  if (runs.size() > 1) return "Report of " + std::to_string(runs.size()) + " runs";
  switch (runs.front().kind) {
    case RunKind::evaluation:
      return "Evaluation: " + runs.front().name;
    case RunKind::training:
      return "Training run: " + runs.front().name;
    case RunKind::prepared:
      return "Prepared data: " + runs.front().name;
    case RunKind::comparison:
      return "Comparison: " + runs.front().name;
    case RunKind::cohort:
      return "Cohort: " + runs.front().name;
    case RunKind::raw_records:
      return "Raw records: " + runs.front().name;
    case RunKind::bundle:
      break;
  }
  return "Model: " + runs.front().name;
}

}  // namespace

Page build_page(const std::vector<FinishedRun>& runs,
                const std::optional<PatientTimeline>& patient) {
  Page page;
  page.title = title_of(runs);
  std::vector<NamedManifest> manifests;
  for (const FinishedRun& run : runs) {
    add_run(run, page);
    manifests.push_back({run.name, run.manifest.get()});
  }
  if (patient) add_timeline(*patient, page);
  add_checklist(runs, page);
  add_manifests(manifests, page);
  return page;
}

}  // namespace sequela
