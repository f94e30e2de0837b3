#include "sequela/pipeline/encode.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/core/stopwatch.h"
#include "sequela/encoders/bert/bert_folder.h"
#include "sequela/io/file.h"
#include "sequela/io/scratch.h"
#include "sequela/nn/torch_threads.h"
#include "sequela/pipeline/data_ontology.h"
#include "sequela/pipeline/encode_rows.h"
#include "sequela/pipeline/encode_tokens.h"
#include "sequela/pipeline/precision.h"
#include "sequela/pipeline/run_inputs.h"
#include "sequela/pipeline/temporary_store.h"
#include "sequela/run/folder_lock.h"
#include "sequela/run/manifest.h"

namespace sequela {
namespace {

const char* letter_case(const EncodeOptions& options) {
  if (!options.do_lower_case) return "auto";
  return *options.do_lower_case ? "lower" : "keep";
}

RunRecipe build_recipe(const EncodeOptions& options, Fingerprints& fingerprints) {
  RunRecipe recipe;
  recipe.command = recipe.artifact = "encode";
  recipe.set("time-zone", zone_rule_name(options.table.zone_rule));
  recipe.set("pooling", name_of(options.pooling));
  recipe.set("precision", to_text(options.precision));
  recipe.set("extract-code-embeddings", options.extract_code_embeddings);
  recipe.set("visits", name_of(options.visits.rule));
  recipe.set("window-hours", options.visits.window_hours);
  recipe.set("max-visits", options.visits.max_visits);
  recipe.set("max-codes", options.visits.max_codes);
  recipe.set("drop-repeats", options.visits.drop_repeats);
  recipe.set("encounter-column", options.visits.encounter_column);
  recipe.set("level", options.table.level);
  recipe.set("format", options.table.format);
  recipe.set("codes-are", options.table.code_kind);
  recipe.set("code-column", options.table.code_column);
  recipe.set("subject-column", options.table.subject_column);
  recipe.set("visit-column", options.table.visit_column);
  recipe.set("time-column", options.table.time_column);
  recipe.set("text-column", options.table.text_column);
  recipe.set("case", letter_case(options));
  if (options.kernels != Kernels::automatic) recipe.set("kernels", to_text(options.kernels));
  add_input("model", encoder_files(options.model), fingerprints, recipe);
  add_input("input", single_file(options.input), fingerprints, recipe);
  if (!options.meds.empty()) add_input("meds", dataset_files(options.meds), fingerprints, recipe);
  add_input("athena", ontology_files(options.athena), fingerprints, recipe);
  return recipe;
}

EncodeInput read_meds(const EncodeOptions& options, EncodeReport* report) {
  const TemporaryStore temporary({.meds = options.meds,
                                  .text_properties = encounter_columns(options.visits),
                                  .zone_rule = options.table.zone_rule,
                                  .num_threads = options.num_threads,
                                  .memory_bytes = options.memory_bytes},
                                 options.out);
  const EventStore store = temporary.open();
  EncodeInput input;
  input.level = options.table.level == "patients" ? EncodeLevel::patients : EncodeLevel::visits;
  input.has_subject_ids = input.has_times = true;
  input.visits = build_visits(store, options.visits, options.num_threads, &report->visits);
  for (const auto& code : store.codes()) input.code_texts.add(code);
  return input;
}

EncodeInput read_input(const EncodeOptions& options, EncodeReport* report) {
  if (!options.meds.empty()) return read_meds(options, report);
  EncodeInputOptions table = options.table;
  table.max_visits = options.visits.max_visits;
  table.max_codes = options.visits.max_codes;
  return read_encode_input(options.input, table);
}

std::shared_ptr<const Ontology> read_ontology(const EncodeOptions& options,
                                              const EncodeInput& input) {
  if (options.athena.empty()) return nullptr;
  std::vector<std::string> codes;
  for (int32_t i = 0; i < input.code_texts.size(); ++i)
    codes.emplace_back(input.code_texts.text(i));
  const std::vector<int64_t> counts(codes.size(), 1);
  return std::make_shared<Ontology>(
      read_ontology_of({options.athena, "", options.out, options.num_threads}, codes, counts));
}

EncodeTokens tokenize(const EncodeOptions& options, const BertFolder& folder,
                      const std::optional<CodeVocabulary>& vocabulary, EncodeReport* report) {
  const EncodeInput input = read_input(options, report);
  if (input.level == EncodeLevel::texts) {
    WordPieceOptions pieces;
    pieces.do_lower_case = options.do_lower_case;
    pieces.max_length = folder.config.max_position_embeddings;
    return build_encode_tokens(input.texts, WordPieceTokenizer::read(options.model, pieces));
  }
  if (input.has_ids || !vocabulary) return build_encode_tokens(input, nullptr);
  VocabularyMapper mapper(*vocabulary, {}, read_ontology(options, input));
  return build_encode_tokens(input, &mapper);
}

NamedTensors weights_on(const BertFolder& folder, at::Device device) {
  NamedTensors weights;
  for (const auto& [name, tensor] : folder.weights) weights[name] = tensor.to(device);
  return weights;
}

void write_code_embeddings(const EncodeOptions& options, const VisitEncoder& encoder,
                           const std::optional<CodeVocabulary>& vocabulary) {
  const at::Tensor vectors = encoder.get_code_embeddings().to(at::kCPU);
  EmbeddingTable table;
  table.num_rows = vectors.size(0);
  table.width = vectors.size(1);
  table.embeddings_nd = vectors.const_data_ptr<float>();
  table.is_code_table = true;
  for (int64_t id = 0; id < table.num_rows; ++id) {
    table.ids.push_back(id);
    if (vocabulary) table.codes.emplace_back(vocabulary->code(static_cast<int32_t>(id)));
  }
  write_embedding_table(options.out, "code_embeddings", table);
}

Json to_json(const EncodeReport& report) {
  Json json = {{"rows", report.num_rows},
               {"width", report.width},
               {"tokens", report.num_tokens},
               {"rows_without_codes", report.num_empty}};
  if (!report.mapping) return json;
  json["coverage"] = {{"events", report.mapping->coverage()},
                      {"codes", report.mapping->coverage_of_codes()}};
  for (const auto& unknown : report.mapping->unknown)
    json["unknown"].push_back({unknown.code, unknown.num_events});
  return json;
}

void encode_input(const EncodeOptions& options, const BertFolder& folder,
                  const std::optional<CodeVocabulary>& vocabulary, const VisitEncoder& encoder,
                  EncodeReport* report) {
  EncodeTokens tokens = tokenize(options, folder, vocabulary, report);
  report->mapping = tokens.mapping;
  report->num_rows = tokens.table.num_rows;
  report->num_tokens = static_cast<int64_t>(tokens.ids.size());
  const ScratchMemory rows(options.out,
                           static_cast<size_t>(report->num_rows * report->width) * sizeof(float));
  try {
    report->num_empty =
        encode_rows(tokens, encoder, options.pooling, static_cast<float*>(rows.data()));
  } catch (const DataError& error) {
    throw error.within({.path = options.meds.empty() ? options.input : options.meds});
  }
  tokens.table.embeddings_nd = static_cast<const float*>(rows.data());
  tokens.table.width = report->width;
  write_embedding_table(options.out, "embeddings", tokens.table);
}

}  // namespace

void EncodeOptions::validate() const {
  if (model.empty()) throw ConfigError("model", "", "the folder of an encoder");
  if (out.empty()) throw ConfigError("out", "", "a folder");
  if (!input.empty() && !meds.empty())
    throw ConfigError("--input and --meds exclude each other. Fix: give one of them.");
  if (input.empty() && meds.empty() && !extract_code_embeddings)
    throw ConfigError(
        "there is nothing to encode. Fix: give --input, --meds or --extract-code-embeddings.");
  if (tokens_per_pass < 1) {
    throw ConfigError("tokens-per-batch", str(tokens_per_pass), "at least 1");
  }
  table.validate();
  visits.validate();
}

EncodeReport encode(const EncodeOptions& options) {
  options.validate();
  const at::NoGradGuard no_gradients;
  const TorchThreads threads(options.num_threads);
  const Stopwatch watch;
  const at::Device device = to_device(options.device);
  const BertFolder folder = open_bert_folder(options.model);
  const std::optional<CodeVocabulary> vocabulary = CodeVocabulary::find(options.model);
  if (vocabulary) check_vocabulary_fits(folder, vocabulary->size());
  EncodeReport report;
  Fingerprints fingerprints({options.fingerprint_cache, options.num_threads});
  RunRecipe recipe = build_recipe(options, fingerprints);
  Manifest manifest(options.out, fingerprints);
  report.is_up_to_date = manifest.is_up_to_date(recipe);
  if (report.is_up_to_date) return report;
  const FolderLock lock(options.out);
  manifest.remove();
  log_precision(options.precision);

  const VisitEncoder encoder(BertModel(folder.config, weights_on(folder, device), options.precision,
                                       choose_ways(device, options.kernels, options.kernel_cache)),
                             {options.pooling, options.tokens_per_pass});
  report.width = folder.config.hidden_size;
  if (options.extract_code_embeddings) {
    write_code_embeddings(options, encoder, vocabulary);
    recipe.outputs = embedding_table_files("code_embeddings");
  }
  if (!options.input.empty() || !options.meds.empty()) {
    encode_input(options, folder, vocabulary, encoder, &report);
    for (const std::string& file : embedding_table_files("embeddings"))
      recipe.outputs.push_back(file);
  }
  manifest.record(recipe, to_json(report));
  report.seconds = watch.seconds();
  return report;
}

}  // namespace sequela
