#include "sequela/core/error.h"
#include "sequela/features/embedder.h"
#include "sequela/pipeline/finetune.h"
#include "sequela/pipeline/pretrain.h"

namespace sequela {

const char* to_text(FinetuneSelection select) {
  return select == FinetuneSelection::loss ? "loss" : "auroc";
}

FinetuneSelection to_finetune_selection(const std::string& text) {
  for (const FinetuneSelection select : {FinetuneSelection::loss, FinetuneSelection::auroc}) {
    if (text == to_text(select)) return select;
  }
  throw ConfigError("select", text, "loss or auroc");
}

FinetuneOptions::FinetuneOptions() {
  train.name = "finetune";
  train.warmup_steps = 0;
  train.epochs = 10;
  train.accumulate = 1;
  train.eval_every = 0;
  train.patience = 3;
  train.log_every = 10;
}

void FinetuneOptions::validate() const {
  if (meds.empty()) throw ConfigError("meds", "", "a MEDS data set or a meds_reader database");
  if (model.empty()) throw ConfigError("model", "", "a model bundle");
  if (labels.empty() != out.empty()) {
    throw ConfigError("--labels and --out belong together. Fix: give both, or neither to predict.");
  }
  if (labels.empty() && predictions.empty()) {
    throw ConfigError(
        "there is nothing to do. Fix: give --labels and --out, or --predict and "
        "--predictions.");
  }
  const bool has_held_out = !labels.empty() && !splits.empty();
  if (!predict.empty() && predictions.empty()) {
    throw ConfigError("--predict needs a file to write. Fix: give --predictions, too.");
  }
  if (!predictions.empty() && predict.empty() && !has_held_out) {
    throw ConfigError(
        "--predictions needs labels. Fix: give --predict, or --splits with held_out.");
  }
  if (!(val_fraction >= 0 && val_fraction < 1))
    throw ConfigError("val-fraction", str(val_fraction), "0 or more, below 1");
  if (lora_rank < 1) throw ConfigError("lora-rank", str(lora_rank), "1 or more");
  EmbedOptions{.tokens_per_batch = tokens_per_batch}.validate();
  to_device(device);
  if (train.eval_every == 0) {
    TrainOptions each_epoch = train;
    each_epoch.eval_every = 1;
    return each_epoch.validate();
  }
  train.validate();
}

}  // namespace sequela
