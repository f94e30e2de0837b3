#include "sequela/pipeline/learned_subjects.h"

#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/json.h"
#include "sequela/meds/split.h"
#include "sequela/run/manifest.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSplitFile = "split.csv";
constexpr const char* kFemrSplitFile = "main_split.csv";

SubjectSets sets_of_split(const std::string& path, const std::string& rule) {
  const Split split = Split::read(path);
  SubjectSets sets(rule);
  sets.set(kPretrainTrain, split.train());
  sets.set(kPretrainValidation, split.validation());
  return sets;
}

std::string given_split_rule() {
  return Json{{"rule", "file"}}.dump();
}

template <class T>
std::optional<T> to_number(const std::string& text) {
  T value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// As prepare's manifest tells it.
std::string prepared_rule(const std::string& data) {
  Fingerprints fingerprints({});
  const Manifest manifest(data, fingerprints);
  const auto seed = to_number<int64_t>(manifest.parameter(kSplitFile, "split-seed"));
  const auto fraction = to_number<double>(manifest.parameter(kSplitFile, "val-fraction"));
  return seed && fraction ? hash_split_rule(*seed, *fraction) : given_split_rule();
}

}  // namespace

std::string hash_split_rule(int64_t seed, double val_fraction) {
  return Json{{"rule", "hash"}, {"seed", seed}, {"val_fraction", val_fraction}}.dump();
}

bool write_prepared_subjects(const std::string& data, const std::string& bundle) {
  const std::string path = data + "/" + kSplitFile;
  if (!fs::exists(path)) return false;
  sets_of_split(path, prepared_rule(data)).write(bundle + "/" + SubjectSets::kFileName);
  return true;
}

std::optional<SubjectSets> read_learned_subjects(const std::string& model) {
  const std::string own = model + "/" + SubjectSets::kFileName;
  if (fs::exists(own)) return SubjectSets::read(own);
  for (const char* name : {kFemrSplitFile, kSplitFile}) {
    const std::string path = model + "/" + name;
    if (fs::exists(path)) return sets_of_split(path, given_split_rule());
  }
  return std::nullopt;
}

}  // namespace sequela
