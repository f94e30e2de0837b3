#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sequela/encoders/bert/bert_model.h"
#include "sequela/encoders/bert/visit_encoder.h"
#include "sequela/pipeline/device.h"
#include "sequela/tokenizer/sequence/encode_input.h"
#include "sequela/tokenizer/sequence/vocabulary_mapper.h"

namespace sequela {

// All options of `sequela encode`.
struct EncodeOptions {
  std::string model;         // a folder (encoders/bert/bert_folder.h)
  std::string input;         // file (tokenizer/sequence/encode_input.h), or
  std::string meds;          // MEDS data set or meds_reader database
  std::string out;           // folder
  EncodeInputOptions table;  // of `input`; its level is one of codes, visits, patients, texts or ""
  VisitOptions visits;       // of `meds`; max_visits and max_codes hold for `input` too
  Pooling pooling = Pooling::mean;
  BertPrecision precision = BertPrecision::float32;
  std::string device = "cpu";
  Kernels kernels = Kernels::automatic;  // of attention; pipeline/device.h
  std::string kernel_cache;              // folder of the kernels' checks; empty: none is kept
  bool extract_code_embeddings = false;  // write the model's table of codes; needs no input
  std::string athena;                    // Athena download or ontology.parquet, to map codes by
  std::optional<bool> do_lower_case;     // texts; empty = as the folder says
  int64_t tokens_per_pass = 2'048;       // bounds memory
  int num_threads = 1;
  std::string fingerprint_cache;  // folder (run/fingerprint_cache.h); empty = none
  int64_t memory_bytes = int64_t{1} << 30;

  void validate() const;  // ConfigError
};

struct EncodeReport {
  int64_t num_rows = 0;
  int64_t num_tokens = 0;  // codes or word pieces that went through the model
  int64_t num_empty = 0;   // rows without a code: zeros
  int64_t width = 0;
  std::optional<MappingReport> mapping;  // of codes given as text
  VisitStats visits;                     // of a MEDS data set
  double seconds = 0;
  bool is_up_to_date = false;
};

// Embeds codes, visits, patients or texts with an encoder of the BERT family and writes
// embeddings.{parquet,npz,pt} (pipeline/embedding_table.h) into options.out, with a manifest; with
// extract_code_embeddings also code_embeddings.{parquet,npz,pt}. Finished output of the same inputs
// is left alone.
//
//   codes     a row per code, its embedding without context
//   visits    a row per visit: its codes in context, pooled
//   patients  a row per subject: its visits' rows, pooled the same way
//   texts     a row per text: its word pieces in context, pooled
//
// Codes given as text become ids by the model's vocabulary (vocabulary_mapper.h). Throws DataError
// for an id outside the vocabulary and a visit over the model's context window.
EncodeReport encode(const EncodeOptions& options);

}  // namespace sequela
