#include "sequela/evaluation/boosted_trees.h"

#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"

namespace sequela {
namespace {

using Handle = void*;
using Length = uint64_t;  // bst_ulong

// XGBoost's C API, loaded when it is first asked for: no other command needs the library, and its
// OpenMP then is the one that the process has.
struct Library {
  const char* (*last_error)();
  int (*create_matrix)(const size_t*, const unsigned*, const float*, size_t, size_t, size_t,
                       Handle*);
  int (*set_floats)(Handle, const char*, const float*, Length);
  int (*free_matrix)(Handle);
  int (*create_booster)(const Handle*, Length, Handle*);
  int (*set_parameter)(Handle, const char*, const char*);
  int (*update)(Handle, int, Handle);
  int (*predict)(Handle, Handle, const char*, const Length**, Length*, const float**);
  int (*free_booster)(Handle);

  static const Library& get() {
    static const Library library;
    return library;
  }
  void check(int status) const {
    if (status == 0) return;
    const std::string message = last_error();
    throw Error("XGBoost: " + message.substr(0, message.find('\n')));
  }

 private:
  Library() {
    for (const char* name : {"libxgboost.so", "libxgboost.so.0"}) {
      if (library_ == nullptr) library_ = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    }
    if (library_ == nullptr) {
      throw ConfigError(
          "there is no XGBoost library. Fix: install libxgboost-dev, or put the folder "
          "of another libxgboost.so into LD_LIBRARY_PATH.");
    }
    load("XGBGetLastError", &last_error);
    load("XGDMatrixCreateFromCSREx", &create_matrix);
    load("XGDMatrixSetFloatInfo", &set_floats);
    load("XGDMatrixFree", &free_matrix);
    load("XGBoosterCreate", &create_booster);
    load("XGBoosterSetParam", &set_parameter);
    load("XGBoosterUpdateOneIter", &update);
    load("XGBoosterPredictFromDMatrix", &predict);
    load("XGBoosterFree", &free_booster);
  }
  template <class Function>
  void load(const char* name, Function* function) {
    *function = reinterpret_cast<Function>(dlsym(library_, name));
    if (*function == nullptr) {
      throw ConfigError(
          str("this XGBoost library has no ", name, ". Fix: install XGBoost 1.6 to 2."));
    }
  }

  Handle library_ = nullptr;  // stays loaded
};

class Matrix {
 public:
  explicit Matrix(const SparseMatrix& rows) {
    const std::vector<size_t> offsets(rows.row_offsets.begin(), rows.row_offsets.end());
    const std::vector<unsigned> columns(rows.columns.begin(), rows.columns.end());
    const Library& library = Library::get();
    library.check(library.create_matrix(offsets.data(), columns.data(), rows.values.data(),
                                        offsets.size(), rows.values.size(),
                                        static_cast<size_t>(rows.num_columns), &handle_));
  }
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;
  ~Matrix() { Library::get().free_matrix(handle_); }

  void set_outcomes(std::span<const uint8_t> outcomes) {
    const std::vector<float> labels(outcomes.begin(), outcomes.end());
    const Library& library = Library::get();
    library.check(library.set_floats(handle_, "label", labels.data(), labels.size()));
  }
  Handle get() const { return handle_; }

 private:
  Handle handle_ = nullptr;
};

class Booster {
 public:
  Booster(const Matrix& train, const BoostedTreesOptions& options) : library_(Library::get()) {
    const Handle matrix = train.get();
    library_.check(library_.create_booster(&matrix, 1, &handle_));
    set("objective", "binary:logistic");
    set("tree_method", "hist");
    set("max_depth", str(options.max_depth));
    set("eta", str(options.learning_rate));
    set("min_child_weight", str(options.min_child_weight));
    set("subsample", str(options.subsample));
    set("seed", str(options.seed % (uint64_t{1} << 31)));
    set("nthread", str(options.num_threads));
    set("verbosity", "0");
  }
  Booster(const Booster&) = delete;
  Booster& operator=(const Booster&) = delete;
  ~Booster() { library_.free_booster(handle_); }

  void add_round(int round, const Matrix& train) {
    library_.check(library_.update(handle_, round, train.get()));
  }

  // Probabilities by the first `num_rounds` trees.
  std::vector<double> predict(const Matrix& rows, int num_rounds) const {
    const std::string config =
        str(R"({"type": 0, "training": false, "strict_shape": false, "iteration_begin": 0, )",
            R"("iteration_end": )", num_rounds, "}");
    const Length* shape = nullptr;
    Length dimensions = 0;
    const float* values = nullptr;
    library_.check(
        library_.predict(handle_, rows.get(), config.c_str(), &shape, &dimensions, &values));
    return {values, values + shape[0]};
  }

 private:
  void set(const char* name, const std::string& value) {
    library_.check(library_.set_parameter(handle_, name, value.c_str()));
  }

  const Library& library_;
  Handle handle_ = nullptr;
};

double log_loss(const std::vector<double>& scores, std::span<const uint8_t> outcomes) {
  double sum = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    sum -= std::log(std::max(1e-12, outcomes[i] != 0 ? scores[i] : 1 - scores[i]));
  }
  return sum / static_cast<double>(scores.size());
}

}  // namespace

void BoostedTreesOptions::validate() const {
  if (max_rounds < 1) throw ConfigError("boosting rounds", str(max_rounds), "1 or more");
  if (max_depth < 1) throw ConfigError("depth of trees", str(max_depth), "1 or more");
  if (!(learning_rate > 0)) throw ConfigError("learning rate", str(learning_rate), "above 0");
  if (!(subsample > 0 && subsample <= 1)) {
    throw ConfigError("share of rows for a tree", str(subsample), "above 0, at most 1");
  }
}

std::string why_no_boosted_trees() {
  try {
    Library::get();
    return "";
  } catch (const ConfigError& error) {
    return error.what();
  }
}

BoostedTreesResult fit_boosted_trees(const OutcomeRows& train, const OutcomeRows& valid,
                                     const SparseMatrix& test, const BoostedTreesOptions& options) {
  options.validate();
  Matrix train_rows(train.features);
  train_rows.set_outcomes(train.outcomes);
  const Matrix valid_rows(valid.features), test_rows(test);
  Booster booster(train_rows, options);
  BoostedTreesResult result;
  double best_loss = HUGE_VAL;
  constexpr int kRoundsBetweenLooks = 10;
  for (int round = 1; round <= options.max_rounds; ++round) {
    throw_if_stopped();
    booster.add_round(round - 1, train_rows);
    if (round % kRoundsBetweenLooks != 0 && round != options.max_rounds) continue;
    const double loss = valid.outcomes.empty()
                            ? -round  // the last look is the best
                            : log_loss(booster.predict(valid_rows, round), valid.outcomes);
    if (loss >= best_loss) continue;
    best_loss = loss;
    result.num_rounds = round;
  }
  result.test_scores = booster.predict(test_rows, result.num_rounds);
  return result;
}

}  // namespace sequela
