#include "sequela/pipeline/yardsticks/label_probe.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <span>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/evaluation/metrics.h"
#include "sequela/evaluation/probe.h"
#include "sequela/meds/dataset.h"
#include "sequela/meds/split.h"
#include "sequela/ontology/ontology.h"
#include "sequela/pipeline/balanced_labels.h"
#include "sequela/pipeline/data_ontology.h"
#include "sequela/pipeline/temporary_store.h"
#include "sequela/pipeline/yardsticks/history_recall.h"

namespace sequela {
namespace {

// Labels of one file: a run of the embedded rows, those of the fitting side first.
struct ProbeTask {
  std::string name;
  int64_t first = 0;
  std::vector<uint8_t> outcomes;
  std::vector<uint8_t> is_fitted;
};

void require_both(const std::vector<Label>& labels, const std::string& path, const char* side) {
  const auto positives = std::count_if(labels.begin(), labels.end(), is_positive);
  if (positives > 0 && positives < static_cast<int64_t>(labels.size())) return;
  throw DataError({path},
                  str("has no positive or no negative label of subjects that pretraining ", side),
                  "give labels of more subjects, or prepare with a larger --val-fraction");
}

}  // namespace

struct LabelProbe::State {
  State(Motor& probed, const LabelProbeOptions& given)
      : model(probed),
        options(given),
        temporary({.meds = given.meds,
                   .num_threads = given.num_threads,
                   .memory_bytes = given.memory_bytes},
                  given.work_folder),
        store(temporary.open()),
        vocabulary(Vocabulary::read(given.data + "/tokenizer/dictionary.msgpack")),
        ontology(extend_to_data(Ontology::read(given.data + "/ontology/ontology.parquet"),
                                store.codes(), find_dataset(given.meds).codes_path.value_or(""))),
        tokenizer(store, ontology, vocabulary) {
    const Split split = Split::read(options.data + "/split.csv");
    for (const std::string& path : options.labels) add_task(path, split);
    if (options.with_recall) {
      std::vector<uint8_t> is_fitted;
      for (const ProbeTask& task : tasks)
        is_fitted.insert(is_fitted.end(), task.is_fitted.begin(), task.is_fitted.end());
      recall =
          std::make_unique<HistoryRecall>(store, labels, std::move(is_fitted), options.num_threads);
    }
  }

  void add_task(const std::string& path, const Split& split) {
    ProbeTask task{std::filesystem::path(path).stem().string(),
                   static_cast<int64_t>(labels.size())};
    for (const ProbeTask& other : tasks) {
      if (other.name == task.name)
        throw ConfigError("probe", path, "files of different names: they name the figures");
    }
    std::array<std::vector<Label>, 2> sides;
    for (Label& label : read_labels(path)) {
      if (!store.find_subject(label.subject_id) || std::isnan(label.value)) continue;
      const bool is_fitted = split.side(label.subject_id) == Side::train;
      sides[is_fitted ? 0 : 1].push_back(std::move(label));
    }
    require_both(sides[0], path, "trains on");
    require_both(sides[1], path, "does not train on");
    for (int side = 0; side < 2; ++side) {
      for (Label& label : take_balanced_labels(std::move(sides[side]), options.max_labels)) {
        task.outcomes.push_back(is_positive(label));
        task.is_fitted.push_back(side == 0);
        labels.push_back(std::move(label));
      }
    }
    log_info(str("probe '", task.name, "': ", task.outcomes.size(), " labels"));
    tasks.push_back(std::move(task));
  }

  // Hidden states at all labels; what could not be embedded is told by `states`.
  DenseMatrix embeddings() {
    const int64_t width = model.config().encoder.hidden_size * num_parts(options.read_out);
    DenseMatrix all{static_cast<int64_t>(labels.size()), width, {}};
    all.values.resize(all.num_rows * all.num_columns);
    std::vector<int64_t> seconds(labels.size());
    states.assign(labels.size(), LabelState::unknown_subject);
    embed(model, store, tokenizer, vocabulary.age_stats, labels, {.read_out = options.read_out},
          all.values.data(), seconds.data(), states.data());
    return all;
  }

  double probe(const ProbeTask& task, const DenseMatrix& all) const {
    // Rows, outcomes and subjects of the fitting side and of the other.
    std::array<std::vector<int64_t>, 2> rows, subjects;
    std::array<std::vector<uint8_t>, 2> outcomes;
    for (size_t i = 0; i < task.outcomes.size(); ++i) {
      const int64_t row = task.first + static_cast<int64_t>(i);
      if (states[row] != LabelState::embedded) continue;
      const int side = task.is_fitted[i] ? 0 : 1;
      rows[side].push_back(row);
      outcomes[side].push_back(task.outcomes[i]);
      subjects[side].push_back(labels[row].subject_id);
    }
    ProbeOptions probe_options;
    probe_options.num_threads = options.num_threads;
    const Probe fitted =
        fit_probe(select_rows(all, rows[0]), outcomes[0], subjects[0], probe_options);
    return ScoredOutcomes(fitted.model.predict(select_rows(all, rows[1])), outcomes[1]).auroc();
  }

  Motor& model;
  const LabelProbeOptions options;
  const TemporaryStore temporary;
  const EventStore store;
  const Vocabulary vocabulary;
  const Ontology ontology;
  const EventTokenizer tokenizer;
  std::vector<Label> labels;
  std::vector<ProbeTask> tasks;
  std::vector<LabelState> states;
  std::unique_ptr<HistoryRecall> recall;
};

LabelProbe::LabelProbe(Motor& model, const LabelProbeOptions& options)
    : state_(std::make_unique<State>(model, options)) {}

LabelProbe::~LabelProbe() = default;

Figures LabelProbe::measure() {
  const DenseMatrix all = state_->embeddings();
  Figures figures = {{"eval/probe", 0, ""}};
  for (const ProbeTask& task : state_->tasks) {
    const double auroc = state_->probe(task, all);
    figures.push_back({"eval/probe/" + task.name, auroc, "AUROC " + task.name});
    figures[0].value += auroc / static_cast<double>(state_->tasks.size());
  }
  if (state_->recall) {
    const Figures own = state_->recall->measure(all, state_->states);
    figures.insert(figures.end(), own.begin(), own.end());
  }
  return figures;
}

}  // namespace sequela
