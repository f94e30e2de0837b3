#include "sequela/core/error.h"
#include "sequela/pipeline/compare.h"
#include "sequela/pipeline/device.h"

namespace sequela {
namespace {

void require(bool holds, const char* key, const std::string& value, const char* allowed) {
  if (!holds) throw ConfigError(key, value, allowed);
}

}  // namespace

void CompareOptions::validate() const {
  require(!meds.empty(), "meds", meds, "a MEDS data set");
  require(!labels.empty(), "labels", labels, "a Parquet file of labels");
  require(!pretrained.empty(), "pretrained", pretrained, "an encoder's folder");
  require(!out.empty(), "out", out, "a folder");
  require(num_seeds >= 1, "seeds", str(num_seeds), "1 or more");
  require(!num_labels.empty(), "num-labels", "", "one number or more");
  for (const int64_t num : num_labels) require(num >= 2, "num-labels", str(num), "2 or more");
  require(learning_rate > 0, "learning-rate", str(learning_rate), "above 0");
  require(embedding_learning_rate > 0, "embedding-learning-rate", str(embedding_learning_rate),
          "above 0");
  require(epochs >= 1, "epochs", str(epochs), "1 or more");
  require(min_steps >= 1, "min-steps", str(min_steps), "1 or more");
  require(batch_size >= 1, "batch-size", str(batch_size), "1 or more");
  require(patience >= 0, "patience", str(patience), "0 or more");
  require(num_resamples >= 1, "resamples", str(num_resamples), "1 or more");
  to_device(device);  // before anything is read
}

}  // namespace sequela
