#include <array>

#include "sequela/core/error.h"
#include "sequela/synth/vocabulary_builder.h"

namespace sequela {
namespace {

constexpr std::array kSyllables = {"ba", "lo", "ri",  "ne", "ta", "vo", "ki", "me",
                                   "du", "sa", "pro", "xi", "zo", "fe", "la", "mi"};
constexpr std::array kDrugEndings = {"pril", "statin", "zole", "mab",
                                     "dine", "cillin", "pam",  "line"};
constexpr const char* kAtcLetters = "ABCDGHJLMNPRSV";

std::string drug_name(int number) {
  const uint64_t hash = hash_key(kVocabularyKey, 17, number / 3);
  std::string name;
  for (int i = 0; i < 2; ++i) name += kSyllables[(hash >> (8 * i)) % kSyllables.size()];
  name += kSyllables[number % kSyllables.size()];
  return name + kDrugEndings[(number / 9) % kDrugEndings.size()];
}

}  // namespace

void VocabularyBuilder::add_drugs() {
  const Kind hemonc_class{"HemOnc", "Regimen Class", "Regimen", 'C'};
  const Kind regimen{"HemOnc", "Regimen", "Regimen", 'S'};
  const int32_t root = add(hemonc_class, "90000", "Chemotherapy");
  for (int i = 1; i <= 40; ++i) {
    regimens_.push_back(add(regimen, str(90'000 + i), str("Chemotherapy regimen ", i), {root}));
    v_.is_event_code[regimens_.back()] = 1;
  }
  const Kind atc{"ATC", "ATC 1st", "Drug", 'C'};
  for (const char* letter = kAtcLetters; *letter != 0; ++letter) {
    const std::string code(1, *letter);
    add_atc_group(add(atc, code, "Drugs of main group " + code), code, 2);
  }
  v_.drugs = CodePool(drugs_, kVocabularyKey);
}

void VocabularyBuilder::add_atc_group(int32_t parent, const std::string& parent_code, int level) {
  constexpr std::array kClasses = {"", "ATC 1st", "ATC 2nd", "ATC 3rd", "ATC 4th", "ATC 5th"};
  const Kind kind{"ATC", kClasses[level], "Drug", 'C'};
  if (level == 5) drugs_of_group_.emplace_back();
  for (int i = 1; i <= 3; ++i) {
    const bool is_number = level == 2 || level == 5;
    const std::string part =
        is_number ? padded("%02d", i) : std::string(1, static_cast<char>('@' + i));
    const std::string code = parent_code + part;
    const int32_t added = add(kind, code, "Drug group " + code, {parent});
    if (level == 5) {
      add_ingredient(added, code);
    } else {
      add_atc_group(added, code, level + 1);
    }
  }
}

void VocabularyBuilder::add_ingredient(int32_t atc, const std::string& atc_code) {
  const int number = num_ingredients_++;
  const std::string name = drug_name(number);
  const int id = 7'000'000 + 100 * number;
  std::vector<int32_t> parents = {atc};
  if (atc_code[0] == 'L') {
    for (int i = 0; i < 2; ++i) {
      parents.push_back(regimens_[(2 * number + i * 13) % static_cast<int>(regimens_.size())]);
    }
  }
  const int32_t ingredient = add({"RxNorm", "Ingredient", "Drug", 'S'}, str(id), name, parents);
  const Kind form_kind{"RxNorm", "Clinical Drug Form", "Drug", 'S'};
  const int32_t form = add(form_kind, str(id + 1), name + " Oral Tablet", {ingredient});
  for (int strength = 1; strength <= 3; ++strength) {
    const std::string drug = str(name, " ", 5 * strength * (1 + number % 8), " MG Oral Tablet");
    const std::string label = padded("5e0e1a00-0000-4000-8000-%012d", id + strength);
    const int32_t spl = add({"SPL", "Prescription Drug", "Drug", 'C'}, label, drug + " [label]");
    const Kind drug_kind{"RxNorm", "Clinical Drug", "Drug", 'S'};
    drugs_.push_back(add(drug_kind, str(id + 1 + strength), drug, {form, spl}));
    drugs_of_group_.back().push_back(drugs_.back());
    v_.is_event_code[drugs_.back()] = 1;
  }
}

}  // namespace sequela
