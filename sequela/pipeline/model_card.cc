#include "sequela/pipeline/model_card.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/number_text.h"
#include "sequela/io/file.h"
#include "sequela/model/encoder_config.h"
#include "sequela/pipeline/inspect_parts.h"
#include "sequela/report/html.h"
#include "sequela/report/json_fields.h"
#include "sequela/report/manifests.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr size_t kShownTasks = 10;

// A code's name in Markdown: nothing in it is taken for markup, or ends the line.
std::string in_backticks(std::string name) {
  for (char& c : name) {
    if (c == '`' || static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return "`" + name + "`";
}

// In a table "|" ends the cell, in backticks too.
std::string in_cell(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

// What trained the model: the artifact of finetune, else of any pretraining ("pretrain", "pretrain
// mlm").
Json training_artifact(const Json& manifest) {
  Json found;
  const Json& artifacts = field(manifest, "artifacts");
  if (!artifacts.is_object()) return found;
  for (const auto& [name, artifact] : artifacts.items()) {
    if (!artifact.is_object()) continue;
    if (name == "finetune") return artifact;
    if (name.starts_with("pretrain")) found = artifact;
  }
  return found;
}

class Card {
 public:
  Card(const std::string& folder, const std::string& name)
      : folder_(folder),
        name_(name),
        manifest_(read_run_file(folder, "manifest.json")),
        is_bundle_(!is_encoder_folder(folder)),
        is_clmbr_(is_bundle_ && read_model_config(folder + "/config.json").clmbr_vocab_size > 0),
        artifact_(training_artifact(manifest_)) {
    report_ = field(artifact_, "report");
    // A fine-tuned bundle hands on what its own bundle knew.
    pretraining_ =
        field(report_, "pretraining").is_object() ? field(report_, "pretraining") : report_;
  }

  std::string text() {
    add_header();
    add_data();
    add_training();
    add_performance();
    add_tasks();
    add_use();
    add_limits();
    return std::move(out_);
  }

 private:
  template <class... Parts>
  void put(const Parts&... parts) {
    out_ += str(parts...);
  }
  void add_header();
  void add_data();
  void add_training();
  void add_performance();
  void add_tasks();
  void add_use();
  void add_limits();
  void add_row(const std::string& what, const std::string& value) {
    if (!value.empty()) put("| ", what, " | ", in_cell(value), " |\n");
  }
  void add_figures(const Json& figures);

  const std::string folder_, name_;
  const Json manifest_;
  const bool is_bundle_;
  const bool is_clmbr_;
  Json artifact_, report_, pretraining_;
  std::string out_;
};

void Card::add_header() {
  const std::string description = inspect(folder_);
  const bool is_tuned = text_field(field(artifact_, "recipe"), "command") == "finetune";
  put("---\nlibrary_name: sequela\ntags:\n- ehr\n- meds\n- ",
      is_clmbr_    ? "clmbr"
      : is_bundle_ ? "motor"
                   : "bert",
      "\n", is_tuned ? "- fine-tuned\n" : "",
      "# license: to be chosen by who publishes the model\n---\n\n# ", name_, "\n\n",
      is_clmbr_    ? "A transformer for electronic health records, trained to tell the next code"
      : is_bundle_ ? "A time-to-event transformer for electronic health records"
                   : "An encoder of the BERT family for electronic health records",
      is_tuned ? ", fine-tuned on labels" : "", ".\n\n```\n",
      description.substr(description.find('\n') + 1), "```\n");
}

// "12,345"; empty where the count is not known.
std::string known_count(const Json& counts, const char* key) {
  return field(counts, key).is_number_integer() ? with_thousands(count_field(counts, key)) : "";
}

void Card::add_data() {
  put("\n## Data\n\n");
  const Json& data = field(pretraining_, "data");
  if (!data.is_object()) {
    put("On whose records the model was trained is for its authors to say.\n");
    return;
  }
  put("Electronic health records as events with codes, values and times (MEDS). On whose records, "
      "from "
      "where and when, is for the authors to add.\n\n| | |\n|---|---|\n");
  add_row("subjects", known_count(data, "subjects"));
  add_row("events", known_count(data, "events"));
  add_row("distinct codes", known_count(data, "codes"));
  add_row("training subjects", known_count(data, "train_subjects"));
  add_row("validation subjects", known_count(data, "validation_subjects"));
  add_row("training tokens", known_count(data, "train_tokens"));
  add_row("split", text_field(pretraining_, "split"));
  put("\n`manifest.json` names the data by SHA-256.\n");
}

void Card::add_training() {
  const Json& recipe = field(artifact_, "recipe");
  if (!recipe.is_object()) return;
  put("\n## Training\n\n`sequela ", typed_command(recipe), "`, version ",
      text_field(recipe, "version"), ": ", known_count(report_, "steps"),
      " steps; the weights are those of step ", known_count(report_, "best_step"),
      ".\n\n| option | value |\n|---|---|\n");
  const Json& parameters = field(recipe, "parameters");
  if (!parameters.is_object()) return;
  for (const auto& [key, value] : parameters.items())
    if (value.is_string()) add_row(key, in_backticks(value.get<std::string>()));
}

void Card::add_figures(const Json& figures) {
  const std::pair<const char*, const char*> names[] = {
      {"eval/loss", "loss"},
      {"eval/perplexity", "perplexity of the next code"},
      {"eval/top1", "share of next codes that are the most likely one"},
      {"eval/top10", "the same, among the ten most likely"},
      {"eval/constant_loss", "loss of constant hazards"},
      {"eval/gain", is_clmbr_ ? "gain over the codes' frequencies, nats per code"
                              : "gain over constant hazards, nats per event"},
      {"eval/gain/frequent", "the same, frequent tasks"},
      {"eval/gain/middle", "the same, tasks between"},
      {"eval/gain/rare", "the same, rare tasks"},
      {"eval/concordance", "concordance, mean of the most frequent tasks"},
      {"eval/probe", "AUROC of a logistic probe, mean"},
      {"eval/auroc", "AUROC of the validation labels"}};
  for (const auto& [key, name] : names) add_row(name, number_text(number_field(figures, key)));
}

void Card::add_performance() {
  const Json& figures = field(report_, "evaluation");
  const std::string loss = number_text(number_field(report_, "best_loss"));
  if (!figures.is_object() && loss.empty()) return;
  put("\n## How well it does\n\nOn the validation side, at the best step:\n\n| | |\n|---|---|\n");
  if (figures.is_object()) {
    add_figures(figures);
  } else {
    add_row("loss", loss);
  }
  put("\nThe best step was chosen on these very data. `sequela evaluate` says how well it does on "
      "a task "
      "of yours, beside baselines, with intervals.\n");
}

void Card::add_tasks() {
  if (is_bundle_ && field(report_, "task").is_string()) {
    put("\n## Task\n\n", in_backticks(text_field(report_, "task")), ": ",
        known_count(report_, "num_train_labels"), " training labels, ",
        known_count(report_, "num_validation_labels"), " for validation; prevalence ",
        number_text(number_field(report_, "prevalence")), ".\n");
    return;
  }
  if (!is_bundle_) return;
  const ModelConfig config = read_model_config(folder_ + "/config.json");
  if (is_clmbr_) {
    put("\n## Task\n\nThe head tells the code of the next event, one of ",
        with_thousands(config.clmbr_vocab_size), " entries of the dictionary.\n");
  }
  if (!config.motor) return;
  const auto& tasks = config.motor->tasks;
  put("\n## Tasks\n\nThe head predicts when each of ", with_thousands(config.motor->num_tasks()),
      " codes comes next, in ", config.motor->time_bins.size() - 1, " time bins. Among them: ");
  for (size_t i = 0; i < std::min(kShownTasks, tasks.size()); ++i)
    put(i == 0 ? "" : ", ", in_backticks(tasks[i].code));
  put(".\n");
}

void Card::add_use() {
  put("\n## Use\n\n");
  if (!is_bundle_) {
    put("```python\nimport sequela\n\nencoder = sequela.CEHRBERTWrapper.from_pretrained(\"", name_,
        "\")\n```\n");
  } else if (field(report_, "task").is_string()) {
    put("```bash\nsequela finetune --meds meds --model ", name_,
        " --predict labels.parquet --predictions predictions.parquet\n```\n");
  } else {
    put("```bash\nsequela features --meds meds --model ", name_,
        " --labels labels.parquet --out embeddings\n```\n");
  }
}

void Card::add_limits() {
  put("\n## Intended use and limits\n\n"
      "For research on records like those it was trained on: as embeddings of patients, as a start "
      "for "
      "fine-tuning, as a baseline.\n\n"
      "- It is no medical device. No decision about a patient may rest on it without an evaluation "
      "where, and for whom, it is to be used.\n"
      "- It knows the codes of its own data. Elsewhere, with other coding, care or times, it does "
      "worse, "
      "and its probabilities are wrong; evaluate and recalibrate.\n"
      "- How well it does for each group of people (sex, age, origin) is not known until "
      "evaluated: "
      "`sequela evaluate --subgroups`.\n"
      "- It repeats what the records hold, unequal care included.\n"
      "- Weights can tell of the records they were trained on: whether they may be shared is for "
      "the "
      "data's owners to say.\n\n"
      "## Licence\n\nNot chosen yet. Who publishes the model adds `license:` to the header "
      "above.\n");
}

}  // namespace

std::string model_card(const std::string& folder, const std::string& name) {
  return Card(folder, name).text();
}

void write_model_card(const std::string& partial, const std::string& folder) {
  const std::string name = fs::path(folder + "/").parent_path().filename();
  write_file(partial + "/README.md", model_card(partial, name));
}

}  // namespace sequela
