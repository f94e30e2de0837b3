#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <torch/csrc/utils/pybind.h>

#include "python/run_job.h"
#include "sequela/encoders/bert/bert_folder.h"
#include "sequela/encoders/bert/resize_vocabulary.h"
#include "sequela/encoders/bert/visit_encoder.h"

namespace sequela::python {
namespace {

using MaybeTensor = std::optional<at::Tensor>;
using NoGil = py::call_guard<py::gil_scoped_release>;

at::Tensor or_undefined(const MaybeTensor& tensor) {
  return tensor.value_or(at::Tensor());
}

void register_config(py::module_& module) {
  py::enum_<BertKind>(module, "BertKind")
      .value("bert", BertKind::bert)
      .value("cehr_bert", BertKind::cehr_bert);
  py::enum_<BertActivation>(module, "BertActivation")
      .value("gelu", BertActivation::gelu)
      .value("gelu_tanh", BertActivation::gelu_tanh)
      .value("relu", BertActivation::relu);
  py::class_<BertConfig>(
      module, "BertConfig",
      "Sizes of an encoder; the fields are those of Hugging Face's config.json, the defaults "
      "BERT-base's.")
      .def(py::init<>())
      .def_readwrite("kind", &BertConfig::kind)
      .def_readwrite("vocab_size", &BertConfig::vocab_size)
      .def_readwrite("hidden_size", &BertConfig::hidden_size)
      .def_readwrite("num_hidden_layers", &BertConfig::num_hidden_layers)
      .def_readwrite("num_attention_heads", &BertConfig::num_attention_heads)
      .def_readwrite("intermediate_size", &BertConfig::intermediate_size)
      .def_readwrite("hidden_act", &BertConfig::hidden_act)
      .def_readwrite("layer_norm_eps", &BertConfig::layer_norm_eps)
      .def_readwrite("max_position_embeddings", &BertConfig::max_position_embeddings)
      .def_readwrite("type_vocab_size", &BertConfig::type_vocab_size)
      .def_readwrite("pad_token_id", &BertConfig::pad_token_id)
      .def_readwrite("hidden_dropout_prob", &BertConfig::hidden_dropout_prob)
      .def_readwrite("attention_probs_dropout_prob", &BertConfig::attention_probs_dropout_prob)
      .def_readwrite("n_time_embd", &BertConfig::n_time_embd)
      .def_readwrite("include_value_prediction", &BertConfig::include_value_prediction)
      .def("__copy__", [](const BertConfig& config) { return BertConfig(config); });
}

void register_folder(py::module_& module) {
  module.def("open_bert_folder", [](const std::string& path, const py::object& reporter) {
    BertFolder folder = run_job_for(reporter, [&] { return open_bert_folder(path); });
    return py::make_tuple(folder.config, std::move(folder.weights));
  });
  module.def("write_bert_folder", &write_bert_folder, NoGil());
  module.def("random_bert_weights", &random_bert_weights, NoGil());
}

void register_resize(py::module_& module) {
  py::enum_<NewCodeInit>(module, "NewCodeInit")
      .value("neighbours", NewCodeInit::neighbours)
      .value("mean", NewCodeInit::mean)
      .value("random", NewCodeInit::random);
  py::class_<ResizeReport>(module, "ResizeReport")
      .def_readonly("old_size", &ResizeReport::old_size)
      .def_readonly("new_size", &ResizeReport::new_size)
      .def_readonly("num_from_neighbours", &ResizeReport::num_from_neighbours)
      .def_readonly("num_from_mean", &ResizeReport::num_from_mean)
      .def_readonly("num_random", &ResizeReport::num_random);
  module.def("resize_vocabulary",
             [](BertConfig config, NamedTensors weights, int64_t new_size, NewCodeInit init,
                std::vector<std::vector<int64_t>> neighbours, uint64_t seed) {
               const ResizeOptions options{init, std::move(neighbours), seed};
               const ResizeReport report = resize_vocabulary(config, weights, new_size, options);
               return py::make_tuple(config, std::move(weights), report);
             });
}

struct PaddedOutput {
  at::Tensor hidden_BLH;
  at::Tensor pooled_BH;
  std::vector<at::Tensor> attentions;
};

// Of each row the first sequence that lies in it: sequences [R] and their rows [R].
std::pair<at::Tensor, at::Tensor> first_sequences(const at::Tensor& row_S) {
  const at::Tensor is_first = at::ones_like(row_S, at::kBool);
  is_first.slice(0, 1).copy_(row_S.slice(0, 1).ne(row_S.slice(0, 0, -1)));
  const at::Tensor first_R = is_first.nonzero().squeeze(1);
  return {first_R, row_S.index_select(0, first_R)};
}

// [S, ...] to [num_rows, ...]; rows that are not in row_S are 0.
at::Tensor to_rows(const at::Tensor& values, const at::Tensor& row_S, int64_t num_rows) {
  std::vector<int64_t> shape = values.sizes().vec();
  shape[0] = num_rows;
  return at::zeros(shape, values.options()).index_copy(0, row_S, values);
}

// A padded batch through the model. Rows and places of padding only are 0.
PaddedOutput forward_padded(const BertModel& model, const PaddedBertBatch& batch,
                            const BertRequest& request, bool is_training) {
  const BertConfig& config = model.config();
  const bool is_packed = config.kind == BertKind::cehr_bert;
  const PackedBertBatch packed =
      pack_bert_batch(batch, is_packed ? MaskHoles::separate : MaskHoles::skipped);
  BertDropout dropout;
  if (is_training) dropout.generator = at::detail::getDefaultCPUGenerator();
  const BertOutput output =
      is_training ? bert_forward(config, model.weights(), packed.input, request, dropout)
                  : model.forward(packed.input, request);
  const int64_t num_rows = batch.ids_BL.size(0);
  PaddedOutput padded;
  padded.hidden_BLH = to_padded(output.hidden_TH, packed.places_T, num_rows, batch.ids_BL.size(1));
  for (const at::Tensor& attention_SALL : output.attentions) {
    padded.attentions.push_back(is_packed ? attention_SALL
                                          : to_rows(attention_SALL, packed.row_S, num_rows));
  }
  if (request.pooled) {
    const auto [first_R, row_R] = first_sequences(packed.row_S);
    padded.pooled_BH = to_rows(output.pooled_SH.index_select(0, first_R), row_R, num_rows);
  }
  return padded;
}

void register_batch(py::module_& module) {
  using Batch = PaddedBertBatch;
  py::class_<Batch>(module, "PaddedBertBatch")
      .def(py::init<>())
      .def_readwrite("ids", &Batch::ids_BL)
      .def_readwrite("mask", &Batch::mask_BL)
      .def_readwrite("segments", &Batch::segments_BL)
      .def_readwrite("visit_orders", &Batch::visit_orders_BL)
      .def_readwrite("ages", &Batch::ages_BL)
      .def_readwrite("dates", &Batch::dates_BL)
      .def_readwrite("values", &Batch::values_BL)
      .def_readwrite("value_mask", &Batch::value_mask_BL);
}

void register_model(py::module_& module) {
  py::enum_<BertPrecision>(module, "BertPrecision")
      .value("fp32", BertPrecision::float32)
      .value("bf16", BertPrecision::bfloat16)
      .value("int8", BertPrecision::int8);
  py::class_<BertModel>(module, "BertModel")
      .def(py::init<BertConfig, NamedTensors, BertPrecision>(), NoGil())
      .def(
          "forward",
          [](const BertModel& model, const PaddedBertBatch& batch, bool wants_pooled,
             bool wants_attentions, bool is_training) {
            BertRequest request;
            request.pooled = wants_pooled;
            request.attentions = wants_attentions;
            const PaddedOutput output = forward_padded(model, batch, request, is_training);
            return std::make_tuple(output.hidden_BLH, output.pooled_BH, output.attentions);
          },
          NoGil());
}

void register_visit_encoder(py::module_& module) {
  py::class_<VisitEncoder>(module, "VisitEncoder")
      .def(py::init([](const BertModel& model, const std::string& pooling) {
        VisitEncoderOptions options;
        options.pooling = parse_pooling(pooling);
        return VisitEncoder(model, options);
      }))
      .def("get_code_embeddings", &VisitEncoder::get_code_embeddings, NoGil())
      .def("encode_codes", &VisitEncoder::encode_codes, NoGil())
      .def(
          "encode_codes_with_attention",
          [](const VisitEncoder& encoder, const at::Tensor& ids) {
            CodesInContext codes = encoder.encode_codes_with_attention(ids);
            return std::make_pair(std::move(codes.hidden), std::move(codes.attentions));
          },
          NoGil())
      .def(
          "encode_visit",
          [](const VisitEncoder& encoder, const at::Tensor& ids_BC, const MaybeTensor& mask_BC) {
            return encoder.encode_visit(ids_BC, or_undefined(mask_BC));
          },
          NoGil())
      .def(
          "encode_patient",
          [](const VisitEncoder& encoder, const at::Tensor& ids_BVC, const MaybeTensor& mask_BVC) {
            return encoder.encode_patient(ids_BVC, or_undefined(mask_BVC));
          },
          NoGil());
}

}  // namespace

void register_encoder(py::module_& module) {
  register_config(module);
  register_folder(module);
  register_resize(module);
  register_batch(module);
  register_model(module);
  register_visit_encoder(module);
}

}  // namespace sequela::python
