#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sequela/features/embedder.h"
#include "sequela/features/feature_file.h"
#include "sequela/model/motor.h"
#include "sequela/pipeline/device.h"

namespace sequela {

// All options of `sequela features`.
struct FeaturesOptions {
  std::string meds;       // MEDS data set or meds_reader database
  std::string model;      // a bundle, Sequela's or femr's
  std::string labels;     // MEDS label schema: a file, or a folder of shards (meds/labels.h)
  std::string out;        // folder
  std::string ontology;   // Parquet with code and parents; overrides the bundle's own
  std::string athena;     // Athena download, for bundles without an ontology
  std::string cohort;     // Parquet or CSV with subject_id, dataset_split, label
  std::string cohort_db;  // postgresql:// URI
  std::string cohort_query;
  std::string label_column;            // of the cohort; empty = the only other column
  std::optional<Precision> precision;  // default: fp32 on a CPU, bf16 on CUDA
  ReadOut read_out = ReadOut::last;
  int64_t tokens_per_batch = 8'192;
  std::string device = "auto";
  Kernels kernels = Kernels::automatic;  // pipeline/device.h
  std::string kernel_cache;              // folder of the kernels' checks; empty: none is kept
  bool is_femr_compatible = false;       // token 0's timestamp as femr writes it
  ZoneRule zone_rule = ZoneRule::utc;    // of times of events and labels that have a zone
  int num_threads = 1;
  std::string fingerprint_cache;  // folder (run/fingerprint_cache.h); empty = none
  int64_t memory_bytes = int64_t{1} << 30;

  void validate() const;  // ConfigError
};

struct FeaturesReport {
  EmbedReport embed;
  int64_t num_labels = 0;
  int64_t num_skipped[4] = {0, 0, 0, 0};  // by LabelState
  std::optional<CohortReport> cohort;
  double seconds = 0;
  bool is_up_to_date = false;
};

// Embeds the labels of a table and writes features.parquet, features.npz, skipped.csv and, for a
// cohort, the three .pt files into options.out, with a manifest. Finished output of the same inputs
// is left alone.
FeaturesReport compute_features(const FeaturesOptions& options);

}  // namespace sequela
