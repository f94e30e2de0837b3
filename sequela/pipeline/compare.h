#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/evaluation/bootstrap.h"
#include "sequela/io/time_column.h"

namespace sequela {

// All options of `sequela compare`: does a pretrained table of code embeddings help a progression
// model with few labels?
struct CompareOptions {
  std::string meds;        // MEDS data set or meds_reader database
  std::string labels;      // MEDS label schema with boolean values (meds/labels.h)
  std::string pretrained;  // an encoder's folder, with its vocabulary
  std::string athena;      // ontology for the codes that the vocabulary lacks; may be empty
  std::string out;         // folder: compare.json, compare.txt
  ZoneRule zone_rule = ZoneRule::utc;  // of times of events and labels that have a zone
  int num_seeds = 5;
  std::vector<int64_t> num_labels = {32, 128, 512};  // to learn from; more than there are: all
  bool has_trees = true;                             // the baseline of counts and boosted trees

  // The progression model; code_embed_dim is the table's.
  int64_t visit_embed_dim = 128;
  int64_t hidden_dim = 128;
  int64_t num_layers = 1;
  double dropout = 0.1;
  int64_t max_visits = 100;  // most recent ones
  int64_t max_codes = 100;   // of a visit

  double learning_rate = 1e-3;
  double embedding_learning_rate = 1e-5;  // of pretrained embeddings
  int64_t epochs = 30;
  int64_t min_steps = 300;  // with few labels, more epochs
  int64_t batch_size = 32;
  int64_t patience = 5;  // evaluations, ten of which fill the run
  uint64_t seed = 1;     // of splits, samples and weights

  std::string device = "cpu";  // of the progression model

  int num_resamples = 1000;
  int num_threads = 1;
  std::string fingerprint_cache;  // folder (run/fingerprint_cache.h); empty = none
  int64_t memory_bytes = int64_t{1} << 30;

  void validate() const;  // ConfigError
};

enum class CompareMethod { fine_tuned, frozen, random, pretrained_probe, random_probe, trees };
inline constexpr const char* kCompareMethodNames[] = {
    "pretrained, fine-tuned", "pretrained, frozen", "random start",
    "pretrained, probe",      "random, probe",      "counts + boosted trees"};

// A method with one number of labels: means over the seeds, on all test rows.
struct CompareResult {
  CompareMethod method = CompareMethod::random;
  int64_t num_labels = 0;
  Interval auroc = {};
  Interval average_precision = {};
  std::vector<double> auroc_by_seed;
};

// First minus second, on the same test rows, samples and seeds.
struct CompareDifference {
  CompareMethod first = CompareMethod::fine_tuned, second = CompareMethod::random;
  int64_t num_labels = 0;
  PairedTest auroc = {};
  PairedTest average_precision = {};
};

struct CompareReport {
  int64_t num_train = 0, num_validation = 0, num_test = 0;  // labels of each part
  int64_t num_test_positive = 0;
  double coverage = 0;  // share of the events whose code the vocabulary knows
  std::vector<CompareResult> results;
  std::vector<CompareDifference> differences;
  double seconds = 0;

  std::string text() const;  // tables for the terminal
  std::string to_json() const;
};

// Trains a progression model for each number of labels, seed and start (pretrained and fine-tuned,
// pretrained and frozen, random; same sizes, samples, batches and number of steps at most), a probe
// of the pretrained and of the random table (logistic regression on the mean embedding of a
// history's codes) and boosted trees on counts of codes, and evaluates all on the same held-out
// labels. The pretrained table is scaled to the size of a random start.
//
// Splits are the data set's own (train, tuning, held_out); without them 60, 15 and 25 % of the
// subjects by a hash of the seed. A label sees the events up to its time. Of the tuning labels each
// run sees as many as it has training labels. Intervals and tests resample test subjects
// (bootstrap); they do not hold the spread over training sets, which auroc_by_seed shows.
// Writes compare.json, compare.txt and a manifest. DataError, ConfigError, FileError.
CompareReport compare(const CompareOptions& options);

}  // namespace sequela
