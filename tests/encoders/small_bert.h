#pragma once

#include "sequela/encoders/bert/bert_config.h"

namespace sequela {

// A model that takes no time.
inline BertConfig small_bert_config(BertKind kind = BertKind::bert) {
  BertConfig config = BertConfig::defaults(kind);
  config.vocab_size = 30;
  config.hidden_size = 32;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 2;
  config.intermediate_size = 48;
  config.max_position_embeddings = 20;
  config.initializer_range = 0.2;
  return config;
}

}  // namespace sequela
