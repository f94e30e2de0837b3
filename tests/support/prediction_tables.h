#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/core/random.h"
#include "sequela/io/parquet.h"

namespace sequela {

// Rows of predictions in meds-evaluation's schema, made up: `num_rows` rows of half as many
// subjects, whose outcomes follow the probabilities of seed 0; those of other seeds are noisier.
struct MadeUpPredictions {
  std::vector<int64_t> subjects, times;
  std::vector<uint8_t> outcomes;
  std::vector<float> probabilities;

  explicit MadeUpPredictions(int64_t num_rows, uint64_t seed = 0) {
    for (int64_t i = 0; i < num_rows; ++i) {
      Random random(hash_key(99, i)), noise(hash_key(seed, i));
      subjects.push_back(i / 2);
      times.push_back(1'000'000 * (i + 1));
      const double truth = random.uniform();
      outcomes.push_back(random.uniform() < truth);
      const double share = seed == 0 ? 0 : 0.6;
      probabilities.push_back(static_cast<float>((1 - share) * truth + share * noise.uniform()));
    }
  }

  void write(const std::string& path, bool has_outcomes = true) const {
    Table table = {{.name = "subject_id", .values = subjects},
                   {.name = "prediction_time", .values = times, .is_timestamp = true}};
    if (has_outcomes) table.push_back({.name = "boolean_value", .values = outcomes});
    table.push_back({.name = "predicted_boolean_probability", .values = probabilities});
    write_parquet(path, table);
  }
  void write_labels(const std::string& path) const {
    write_parquet(path, {{.name = "subject_id", .values = subjects},
                         {.name = "prediction_time", .values = times, .is_timestamp = true},
                         {.name = "boolean_value", .values = outcomes}});
  }
  // By subject: sex F, M or null, age in years.
  void write_subgroups(const std::string& path) const {
    std::vector<int64_t> ids;
    std::vector<std::string> sexes;
    std::vector<uint8_t> is_known;
    std::vector<double> ages;
    for (const int64_t subject : subjects) {
      if (!ids.empty() && ids.back() == subject) continue;
      ids.push_back(subject);
      sexes.push_back(subject % 3 == 0 ? "F" : "M");
      is_known.push_back(subject % 7 != 0);
      ages.push_back(static_cast<double>(subject % 90));
    }
    write_parquet(path, {{.name = "subject_id", .values = ids},
                         {.name = "sex", .values = sexes, .valid = is_known},
                         {.name = "age", .values = ages}});
  }
};

}  // namespace sequela
