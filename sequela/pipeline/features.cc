#include "sequela/pipeline/features.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/core/sha256.h"
#include "sequela/core/stopwatch.h"
#include "sequela/distributed/world.h"
#include "sequela/io/file.h"
#include "sequela/io/scratch.h"
#include "sequela/meds/dataset.h"
#include "sequela/model/model_dir.h"
#include "sequela/nn/torch_threads.h"
#include "sequela/pipeline/bundle_records.h"
#include "sequela/pipeline/data_ontology.h"
#include "sequela/pipeline/embed_on_ranks.h"
#include "sequela/pipeline/precision.h"
#include "sequela/pipeline/pretrain.h"
#include "sequela/pipeline/run_inputs.h"
#include "sequela/pipeline/same_run.h"
#include "sequela/pipeline/temporary_store.h"
#include "sequela/run/folder_lock.h"
#include "sequela/run/manifest.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

// Files of the output; the last three only with a cohort.
std::vector<std::string> output_files(bool has_cohort) {
  std::vector<std::string> files = {"features.parquet", "features.npz", "skipped.csv"};
  if (!has_cohort) return files;
  for (const char* split : kCohortSplitNames) files.push_back(str(split, "_embeddings.pt"));
  return files;
}

// What an older run with other inputs left would look like a part of this one.
void remove_old_outputs(const std::string& folder, Manifest& manifest) {
  manifest.remove();
  for (const std::string& name : output_files(true)) fs::remove(folder + "/" + name);
}

// A digest of who is in a cohort, wherever it came from.
std::string fingerprint_of_cohort(const Cohort& cohort) {
  Sha256 hash;
  const auto add = [&](const std::string& row) { hash.update(row.data(), row.size()); };
  add(cohort.has_labels ? "labels\n" : "no labels\n");
  for (int64_t id : cohort.order) {
    const CohortMember& member = cohort.members.at(id);
    add(str(id, ",", static_cast<int>(member.split), ",", member.label, "\n"));
  }
  for (int64_t id : cohort.without_split) add(str(id, "\n"));
  return to_hex(hash.finish());
}

RunRecipe build_recipe(const FeaturesOptions& options, Precision precision,
                       const std::optional<Cohort>& cohort, Fingerprints& fingerprints) {
  RunRecipe recipe;
  recipe.command = recipe.artifact = "features";
  recipe.set("time-zone", zone_rule_name(options.zone_rule));
  recipe.set("precision", to_text(precision));
  recipe.set("read-out", to_text(options.read_out));
  recipe.set("tokens-per-batch", options.tokens_per_batch);
  recipe.set("femr-compatible", options.is_femr_compatible);
  if (options.kernels != Kernels::automatic) recipe.set("kernels", to_text(options.kernels));
  add_input("model", bundle_files(options.model), fingerprints, recipe);
  add_input("labels", label_files(options.labels), fingerprints, recipe);
  add_input("meds", dataset_files(options.meds), fingerprints, recipe);
  add_input("ontology", ontology_files(options.ontology), fingerprints, recipe);
  add_input("athena", ontology_files(options.athena), fingerprints, recipe);
  if (cohort) recipe.inputs["cohort"][""] = fingerprint_of_cohort(*cohort);
  recipe.outputs = output_files(cohort.has_value());
  return recipe;
}

Json to_json(const FeaturesReport& report) {
  Json json = {{"num_labels", report.num_labels}, {"num_embedded", report.embed.num_embedded}};
  for (int state = 1; state < 4; ++state) {
    json["skipped"][to_text(static_cast<LabelState>(state))] = report.num_skipped[state];
  }
  if (report.cohort) {
    for (int split = 0; split < 3; ++split) {
      json["cohort"][kCohortSplitNames[split]] = report.cohort->num_samples[split];
    }
    json["cohort"]["members_without_features"] = report.cohort->missing_members.size();
    json["cohort"]["labels_outside"] = report.cohort->num_labels_outside;
    json["cohort"]["rows_without_split"] = report.cohort->without_split.size();
  }
  return json;
}

void write_outputs(const FeaturesOptions& options, const Features& features,
                   const std::optional<Cohort>& cohort, FeaturesReport& report) {
  write_feature_parquet(options.out + "/features.parquet", features);
  write_feature_npz(options.out + "/features.npz", features);
  if (cohort) report.cohort = write_cohort_files(options.out, features, *cohort);
  write_skipped(options.out + "/skipped.csv", features, report.cohort.value_or(CohortReport{}));
}

std::optional<Cohort> read_cohort(const FeaturesOptions& options) {
  if (!options.cohort.empty()) return read_cohort_file(options.cohort, options.label_column);
  if (options.cohort_db.empty()) return std::nullopt;
  return read_cohort_database(options.cohort_db, options.cohort_query, options.label_column);
}

}  // namespace

void FeaturesOptions::validate() const {
  if (meds.empty()) throw ConfigError("meds", "", "a MEDS data set or a meds_reader database");
  if (model.empty()) throw ConfigError("model", "", "a model bundle");
  if (labels.empty()) throw ConfigError("labels", "", "a labels.parquet");
  if (out.empty()) throw ConfigError("out", "", "a folder");
  if (!cohort.empty() && !cohort_db.empty()) {
    throw ConfigError("--cohort and --cohort-db exclude each other. Fix: give one of them.");
  }
  if (cohort_db.empty() != cohort_query.empty()) {
    throw ConfigError("--cohort-db and --cohort-query belong together. Fix: give both.");
  }
}

FeaturesReport compute_features(const FeaturesOptions& options) {
  options.validate();
  World& world = process_world();
  const TorchThreads threads(options.num_threads);
  const Stopwatch watch;
  const at::Device device = to_device(options.device);
  const Precision precision = options.precision.value_or(embedding_precision(device));
  const std::vector<Label> labels = read_labels(options.labels, options.zone_rule);
  const std::optional<Cohort> cohort = read_cohort(options);

  FeaturesReport report;
  report.num_labels = static_cast<int64_t>(labels.size());
  const Vocabulary vocabulary = Vocabulary::read(options.model + "/dictionary.msgpack");
  Motor model = open_bundle(options.model, device, precision,
                            choose_ways(device, options.kernels, options.kernel_cache));
  Fingerprints fingerprints({options.fingerprint_cache, options.num_threads});
  const RunRecipe recipe = build_recipe(options, precision, cohort, fingerprints);
  check_same_run(world, recipe);
  Manifest manifest(options.out, fingerprints);
  report.is_up_to_date = is_any(world, "the output", manifest.is_up_to_date(recipe));
  if (report.is_up_to_date) return report;
  // The first rank decodes the records for all, and writes.
  std::optional<FolderLock> lock;
  std::optional<TemporaryStore> temporary;
  succeed_together(world, "the records", [&] {
    if (!world.is_first()) return;
    lock.emplace(options.out);
    log_precision(precision, device);
    remove_old_outputs(options.out, manifest);
    temporary.emplace(ingest_options(options), options.out);
  });
  const EventStore store =
      EventStore::open(text_of_first(world, "the records", temporary ? temporary->folder() : ""));
  const Ontology ontology = read_bundle_ontology(options, vocabulary, store);
  const EventTokenizer tokenizer(store, ontology, vocabulary);
  const int64_t width = model.config().encoder.hidden_size * num_parts(options.read_out);
  const size_t num_rows = world.is_first() ? labels.size() : 1;
  const ScratchMemory embeddings(options.out,
                                 num_rows * static_cast<size_t>(width) * sizeof(float));
  std::vector<int64_t> feature_seconds(labels.size());
  std::vector<LabelState> states(labels.size(), LabelState::unknown_subject);
  EmbedOptions embed_options;
  embed_options.read_out = options.read_out;
  embed_options.tokens_per_batch = options.tokens_per_batch;
  if (options.is_femr_compatible) embed_options.first_timestamp = FirstTimestamp::last_event;
  report.embed = embed_on_ranks(
      world, {model, store, tokenizer, vocabulary.age_stats, labels, embed_options, width,
              static_cast<float*>(embeddings.data()), feature_seconds.data(), states.data()});
  for (LabelState state : states) ++report.num_skipped[static_cast<int>(state)];
  report.num_skipped[static_cast<int>(LabelState::embedded)] = 0;

  const Features features{labels, static_cast<const float*>(embeddings.data()),
                          feature_seconds.data(), states.data(), width};
  succeed_together(world, "the output", [&] {
    if (!world.is_first()) return;
    write_outputs(options, features, cohort, report);
    manifest.record(recipe, to_json(report));
  });
  report.seconds = watch.seconds();
  return report;
}

}  // namespace sequela
