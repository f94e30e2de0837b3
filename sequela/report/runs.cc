#include "sequela/report/runs.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/report/evaluation/evaluation.h"
#include "sequela/report/json_fields.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

// metrics.json is written by evaluations and by training runs.
void read_metrics(const std::string& folder, FinishedRun& run, Json& content) {
  content = read_run_file(folder, "metrics.json");
  if (field(content, "tasks").is_array()) {
    run.kind = RunKind::evaluation;
    content = to_evaluation(content, read_run_file(folder, "curves.json"));
  } else {
    run.kind = RunKind::training;
    if (!field(content, "log").is_array()) content = Json();
  }
}

struct File {
  const char* name;
  RunKind kind;
};
constexpr File kFiles[] = {{"evaluation.json", RunKind::evaluation},
                           {"coverage.json", RunKind::prepared},
                           {"compare.json", RunKind::comparison},
                           {"cohort.json", RunKind::cohort},
                           {"etl_report.json", RunKind::raw_records}};

}  // namespace

FinishedRun read_run(const std::string& folder) {
  if (!fs::is_directory(folder)) {
    throw ConfigError(str("run: '", folder,
                          "' is no folder. Fix: name the --out of evaluate, pretrain, finetune, "
                          "prepare, compare, label or etl."));
  }
  FinishedRun run;
  run.name = fs::path(folder + "/").parent_path().filename().string();
  Json content;
  for (const File& file : kFiles) {
    if (content.is_null()) {
      content = read_run_file(folder, file.name);
      run.kind = file.kind;
    }
  }
  if (content.is_null()) read_metrics(folder, run, content);
  run.manifest = std::make_shared<const Json>(read_run_file(folder, "manifest.json"));
  if (content.is_null() && field(*run.manifest, "artifacts").is_object()) {
    run.kind = RunKind::bundle;
    content = read_run_file(folder, "config.json");
    if (content.is_null()) content = Json::object();
  }
  if (content.is_null()) {
    throw ConfigError(str(
        "run: '", folder,
        "' holds no finished run (evaluation.json, metrics.json, coverage.json, "
        "compare.json, cohort.json, etl_report.json). Fix: name the --out of evaluate, pretrain, "
        "finetune, prepare, compare, label or etl."));
  }
  run.content = std::make_shared<const Json>(std::move(content));
  return run;
}

}  // namespace sequela
