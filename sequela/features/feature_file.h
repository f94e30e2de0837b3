#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sequela/features/cohort.h"
#include "sequela/features/embedder.h"

namespace sequela {

// The embeddings of a labels table, as embed() leaves them; n labels, width d.
struct Features {
  std::span<const Label> labels_n;
  const float* embeddings_nd = nullptr;
  const int64_t* feature_seconds_n = nullptr;
  const LabelState* states_n = nullptr;
  int64_t width = 0;
};

// Writes the embedded labels, in the order of the labels, to a Parquet file: subject_id,
// prediction_time, feature_time (both timestamp[us]), embedding fixed_size_list<float>[d]. Atomic.
void write_feature_parquet(const std::string& path, const Features& features);

// The same rows for NumPy: subject_ids int64, prediction_times and feature_times (int64
// microseconds), features float32 [rows, d]. Atomic.
void write_feature_npz(const std::string& path, const Features& features);

// What became of a cohort.
struct CohortReport {
  int64_t num_samples[3] = {0, 0, 0};    // by CohortSplit
  std::vector<int64_t> missing_members;  // subject ids of the cohort without an embedded label
  std::vector<int64_t> without_split;    // of its rows that name no split
  int64_t num_labels_outside = 0;        // embedded labels of subjects that are not in the cohort
};

// Writes {train,valid,test}_embeddings.pt into a folder: each opens with
// torch.load(weights_only=True) as {embeddings float32 [rows, d], labels list[str], sample_ids
// list[str]}. The labels are the cohort's, or if it has none those of the labels table. A sample id
// is the subject's id, with
// "@<prediction time>" behind it for subjects that have several embedded labels. A split without
// samples gives a file with 0 rows. Each file is atomic.
CohortReport write_cohort_files(const std::string& folder, const Features& features,
                                const Cohort& cohort);

// Writes skipped.csv: subject_id, prediction_time, reason; one row for each label without an
// embedding, each cohort member without one and each row of the cohort without a split. Atomic;
// only a header if nothing was skipped.
void write_skipped(const std::string& path, const Features& features, const CohortReport& cohort);

}  // namespace sequela
