#include <ATen/ATen.h>
#include <torch/csrc/utils/pybind.h>

#include "python/compute_guard.h"
#include "python/encoded_batch.h"
#include "python/fields.h"
#include "python/run_job.h"
#include "sequela/encoders/bert/bert_folder.h"
#include "sequela/encoders/bert/bert_weights.h"
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
  py::class_<BertConfig> config(
      module, "BertConfig",
      "Sizes of an encoder; the fields are those of Hugging Face's config.json, the defaults "
      "BERT-base's.");
  config.def(py::init<>());
  using Config = BertConfig;
  register_fields(
      config, field("kind", &Config::kind), field("vocab_size", &Config::vocab_size),
      field("hidden_size", &Config::hidden_size),
      field("num_hidden_layers", &Config::num_hidden_layers),
      field("num_attention_heads", &Config::num_attention_heads),
      field("intermediate_size", &Config::intermediate_size),
      field("hidden_act", &Config::hidden_act), field("layer_norm_eps", &Config::layer_norm_eps),
      field("max_position_embeddings", &Config::max_position_embeddings),
      field("type_vocab_size", &Config::type_vocab_size),
      field("pad_token_id", &Config::pad_token_id), field("cls_token_id", &Config::cls_token_id),
      field("hidden_dropout_prob", &Config::hidden_dropout_prob),
      field("attention_probs_dropout_prob", &Config::attention_probs_dropout_prob),
      field("classifier_dropout", &Config::classifier_dropout),
      field("initializer_range", &Config::initializer_range),
      field("n_time_embd", &Config::n_time_embd),
      field("n_visit_segments", &Config::n_visit_segments),
      field("time_embedding_scaling_factor", &Config::time_embedding_scaling_factor),
      field("age_embedding_scaling_factor", &Config::age_embedding_scaling_factor),
      field("sample_packing_max_positions", &Config::sample_packing_max_positions),
      field("include_value_prediction", &Config::include_value_prediction),
      field("bidirectional", &Config::bidirectional),
      field("mlm_probability", &Config::mlm_probability),
      field("lab_token_ids", &Config::lab_token_ids));
}

void register_folder(py::module_& module) {
  module.def("open_bert_folder", [](const std::string& path, const py::object& reporter) {
    BertFolder folder = run_job_for(reporter, [&] { return open_bert_folder(path); });
    return py::make_tuple(folder.config, std::move(folder.weights));
  });
  module.def("write_bert_folder", &write_bert_folder, NoGil());
  module.def("random_bert_weights", &random_bert_weights, NoGil());
  module.def("is_trainable", &is_trainable);
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
            const EncodedBatch encoded(model, batch, request, is_training);
            return std::make_tuple(encoded.hidden_BLH(), encoded.pooled_BH(), encoded.attentions());
          },
          ComputeGuard());
}

void register_visit_encoder(py::module_& module) {
  py::class_<VisitEncoder>(module, "VisitEncoder")
      .def(py::init([](const BertModel& model, const std::string& pooling) {
        VisitEncoderOptions options;
        options.pooling = parse_pooling(pooling);
        return VisitEncoder(model, options);
      }))
      .def("get_code_embeddings", &VisitEncoder::get_code_embeddings, ComputeGuard())
      .def("encode_codes", &VisitEncoder::encode_codes, ComputeGuard())
      .def(
          "encode_codes_with_attention",
          [](const VisitEncoder& encoder, const at::Tensor& ids) {
            CodesInContext codes = encoder.encode_codes_with_attention(ids);
            return std::make_pair(std::move(codes.hidden), std::move(codes.attentions));
          },
          ComputeGuard())
      .def(
          "encode_visit",
          [](const VisitEncoder& encoder, const at::Tensor& ids_BC, const MaybeTensor& mask_BC) {
            return encoder.encode_visit(ids_BC, or_undefined(mask_BC));
          },
          ComputeGuard())
      .def(
          "encode_patient",
          [](const VisitEncoder& encoder, const at::Tensor& ids_BVC, const MaybeTensor& mask_BVC) {
            return encoder.encode_patient(ids_BVC, or_undefined(mask_BVC));
          },
          ComputeGuard());
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
