#include "sequela/encoders/bert/bert_model.h"

#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "sequela/encoders/bert/bert_folder.h"
#include "sequela/encoders/bert/bert_heads.h"
#include "tests/encoders/bert_fixtures.h"

namespace sequela {
namespace {

BertModel open_model(const std::string& folder) {
  BertFolder opened = open_bert_folder(bert_path(folder));
  return {opened.config, opened.weights};
}

// The visits of a_bert, without their empty row; holes of the mask as in transformers.
PackedBertBatch visits_of_a() {
  const TensorFile inputs("a_bert/inputs.safetensors");
  return pack_bert_batch({.ids_BL = inputs["visits"], .mask_BL = inputs["visits"].ne(0)},
                         MaskHoles::skipped);
}

class BertModelOfPeers : public OnReference {};

TEST_P(BertModelOfPeers, GivesTheHiddenStatesOfTransformers) {
  const TensorFile expected("a_bert/expected.safetensors");
  const PackedBertBatch batch = visits_of_a();
  const BertModel model = open_model("a_bert/model_st");
  const BertRequest request{.pooled = true, .hidden_states = true};
  for (const BertOutput& output :
       {model.forward(batch.input, request),
        bert_forward(model.config(), model.weights(), batch.input, request)}) {
    ASSERT_EQ(output.hidden_states.size(), 4U);
    for (int layer = 0; layer < 4; ++layer) {
      const std::string name = str("model.hidden_states.", layer);
      expect_close(output.hidden_states[layer], at_places(expected[name], batch.places_T), name);
    }
    expect_close(output.hidden_TH, at_places(expected["model.hidden.visits"], batch.places_T),
                 "last hidden states");
  }
}

TEST_P(BertModelOfPeers, PoolsTheFirstToken) {
  const TensorFile expected("a_bert/expected.safetensors");
  const PackedBertBatch batch = visits_of_a();
  const BertOutput output = open_model("a_bert/model_st").forward(batch.input, {.pooled = true});
  expect_close(output.pooled_SH, expected["model.pooler.visits"].index_select(0, batch.row_S),
               "pooler");
}

TEST_P(BertModelOfPeers, WidensHalfPrecisionFiles) {
  const TensorFile expected("a_bert/expected.safetensors");
  const PackedBertBatch batch = visits_of_a();
  for (const std::string type : {"float16", "bfloat16"}) {
    const BertOutput output = open_model("a_bert/model_" + type + "_st").forward(batch.input);
    expect_close(output.hidden_TH,
                 at_places(expected[type + "_upcast.hidden.visits"], batch.places_T), type);
  }
}

TEST_P(BertModelOfPeers, PredictsMaskedCodes) {
  const TensorFile inputs("a_bert/inputs.safetensors"), expected("a_bert/expected.safetensors");
  const PackedBertBatch batch = visits_of_a();
  for (const char* folder : {"a_bert/mlm_st", "a_bert/mlm_bin"}) {
    const BertModel model = open_model(folder);
    const BertOutput output = model.forward(batch.input);
    expect_close(mlm_logits(model.config(), model.weights(), output.hidden_TH),
                 at_places(expected["mlm.logits.visits"], batch.places_T), folder);
  }
}

TEST_P(BertModelOfPeers, GivesTheStatesOfClinicalBert) {
  for (const std::string name : {"uncased", "cased"}) {
    const TensorFile expected("c_clinicalbert/expected_" + name + ".safetensors");
    const BertModel model = open_model("c_clinicalbert/" + name);
    const PackedBertBatch batch =
        pack_bert_batch({.ids_BL = expected["input_ids"], .mask_BL = expected["attention_mask"]},
                        MaskHoles::skipped);
    const BertOutput output = model.forward(batch.input, {.pooled = true});
    expect_close(output.pooled_SH, expected["pooler"], name);
    const at::Tensor hidden =
        to_padded(output.hidden_TH, batch.places_T, 50, expected["input_ids"].size(1));
    const at::Tensor mask = expected["attention_mask"].narrow(0, 0, 8).unsqueeze(2);
    expect_close(hidden.narrow(0, 0, 8) * mask, expected["last_hidden_state_first8"] * mask, name);
  }
}

TEST_P(BertModelOfPeers, ReadsMedBertAsConvertedAndAsTensorFlowWroteIt) {
  const TensorFile inputs("d_medbert/inputs.safetensors"),
      expected("d_medbert/expected.safetensors");
  for (const char* folder : {"d_medbert/converted", "d_medbert/tf1_checkpoint"}) {
    const BertModel model = open_model(folder);
    for (const bool has_segments : {true, false}) {
      PaddedBertBatch padded{.ids_BL = inputs["input_ids"], .mask_BL = inputs["attention_mask"]};
      if (has_segments) padded.segments_BL = inputs["token_type_ids"];
      const PackedBertBatch batch = pack_bert_batch(padded, MaskHoles::skipped);
      const std::string name =
          has_segments ? "last_hidden_state" : "last_hidden_state_without_segments";
      expect_close(model.forward(batch.input).hidden_TH, at_places(expected[name], batch.places_T),
                   folder + name);
      if (!has_segments) continue;
      const BertOutput output = model.forward(batch.input, {.pooled = true});
      expect_close(mlm_logits(model.config(), model.weights(), output.hidden_TH),
                   at_places(expected["prediction_logits"], batch.places_T), folder);
      expect_close(sequence_relationship_logits(model.weights(), output.pooled_SH),
                   expected["seq_relationship_logits"], folder);
    }
  }
}

SEQUELA_ON_REFERENCES(BertModelOfPeers);

}  // namespace
}  // namespace sequela
