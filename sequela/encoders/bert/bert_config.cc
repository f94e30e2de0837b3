#include "sequela/encoders/bert/bert_config.h"

#include "sequela/core/error.h"

namespace sequela {

void BertConfig::validate() const {
  if (hidden_size < 1 || num_attention_heads < 1 || hidden_size % num_attention_heads != 0)
    throw ConfigError("hidden_size", str(hidden_size), "a positive multiple of num_attention_heads");
}

}  // namespace sequela
