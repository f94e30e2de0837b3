#include "sequela/tokenizer/sequence/code_forms.h"

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/core/utf8.h"
#include "sequela/tokenizer/sequence/unicode_text.h"

namespace sequela {
namespace {

// Names of one vocabulary in use, and Athena's own for it.
struct VocabularyNames {
  std::string_view usual;
  std::vector<std::string_view> others;
  std::vector<std::string_view> athena;
};

const std::vector<VocabularyNames>& vocabulary_names() {
  static const std::vector<VocabularyNames> names = {
      {"ICD10", {"ICD10CM", "ICD10-CM", "ICD-10", "ICD-10-CM", "I10"}, {"ICD10CM", "ICD10"}},
      {"ICD9", {"ICD9CM", "ICD9-CM", "ICD-9", "ICD-9-CM", "I9"}, {"ICD9CM"}},
      {"ICD10PCS", {"ICD10-PCS", "ICD-10-PCS"}, {"ICD10PCS"}},
      {"ICD9PROC", {"ICD9-PROC", "ICD9PROCEDURE"}, {"ICD9Proc"}},
      {"RXNORM", {"RXCUI", "RXNORM EXTENSION"}, {"RxNorm", "RxNorm Extension"}},
      {"CPT", {"CPT4", "CPT-4"}, {"CPT4"}},
      {"SNOMED", {"SNOMEDCT", "SNOMED-CT", "SNOMEDCT_US", "SCT"}, {"SNOMED"}},
      {"LOINC", {"LNC"}, {"LOINC"}},
      {"ATC", {}, {"ATC"}},
      {"HCPCS", {}, {"HCPCS"}},
      {"NDC", {}, {"NDC"}},
      {"CVX", {}, {"CVX"}}};
  return names;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

const VocabularyNames* find_names(const std::string& upper_name) {
  for (const VocabularyNames& names : vocabulary_names()) {
    if (names.usual == upper_name) return &names;
    if (std::find(names.others.begin(), names.others.end(), upper_name) != names.others.end()) {
      return &names;
    }
  }
  return nullptr;
}

std::string usual_name(std::string_view prefix) {
  const std::string name = upper(prefix);
  const VocabularyNames* names = find_names(name);
  return names == nullptr ? name : std::string(names->usual);
}

std::string body_of(std::string_view text) {
  std::string body = upper(text);
  std::erase_if(body, [](char c) { return c == '.' || c == ' '; });
  return body;
}

// "DIAGNOSIS//ICD//10//E119": the code as its prefix and rest, else nothing.
bool split_icd_path(std::string_view code, std::string* vocabulary, std::string_view* rest) {
  const size_t at = code.find("//ICD//");
  if (at == std::string_view::npos) return false;
  const std::string_view tail = code.substr(at + 7);
  const size_t end = tail.find("//");
  if (end == std::string_view::npos) return false;
  const std::string_view version = tail.substr(0, end);
  if (version != "9" && version != "10") return false;
  const bool is_procedure = code.substr(0, 9) == "PROCEDURE";
  *vocabulary = "ICD" + std::string(version);
  if (is_procedure) *vocabulary += version == "9" ? "PROC" : "PCS";
  *rest = tail.substr(end + 2);
  return true;
}

// What Python's \s matches beyond Unicode's white space.
bool is_python_space(char32_t c) {
  return (c >= 0x1C && c <= 0x1F) || is_white_space(c);
}

// Prefix (as it stands) and rest of a code.
std::pair<std::string, std::string_view> split_code(std::string_view code) {
  std::string vocabulary;
  std::string_view rest;
  if (split_icd_path(code, &vocabulary, &rest)) return {vocabulary, rest};
  size_t end = code.find_first_of("/:|");
  // "ICD9_250.0": an underline only after a vocabulary's name, as other codes have it inside.
  if (end == std::string_view::npos) {
    end = code.find('_');
    if (end == std::string_view::npos || find_names(upper(code.substr(0, end))) == nullptr) {
      return {"", code};
    }
  }
  return {std::string(code.substr(0, end)), code.substr(end + 1)};
}

}  // namespace

CodeForm code_form(std::string_view code) {
  const auto [prefix, rest] = split_code(code);
  return {usual_name(prefix), body_of(rest)};
}

std::string join_words(std::string_view text) {
  const bool is_plain =
      std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > ' ' && c < 127; });
  if (is_plain) return std::string(text);
  std::string out;
  bool was_space = false;
  for (const char32_t c : decode_utf8(text)) {
    const bool is_space = is_python_space(c);
    if (!is_space)
      append_utf8(c, &out);
    else if (!was_space)
      out += '_';
    was_space = is_space;
  }
  return out;
}

std::string_view code_prefix(std::string_view code) {
  const size_t end = code.find_first_of("/:");
  return end == std::string_view::npos ? std::string_view() : code.substr(0, end);
}

std::vector<std::string> athena_spellings(std::string_view code) {
  const auto [prefix, rest] = split_code(code);
  const VocabularyNames* names = find_names(upper(prefix));
  if (names == nullptr) return {};
  std::vector<std::string> bodies = {std::string(rest), upper(rest)};
  // ICD codes without their dot: after three characters, four in the E codes of ICD-9.
  const bool is_icd9 = names->usual == "ICD9";
  if ((is_icd9 || names->usual == "ICD10") && rest.find('.') == std::string_view::npos) {
    const std::string_view whole = bodies[1];
    const size_t stem = is_icd9 && whole.starts_with('E') ? 4 : 3;
    if (whole.size() > stem) {
      bodies.push_back(str(whole.substr(0, stem), ".", whole.substr(stem)));
    }
  }
  std::vector<std::string> spellings;
  for (const std::string_view vocabulary : names->athena) {
    for (const std::string& body : bodies) {
      spellings.push_back(std::string(vocabulary) + "/" + body);
    }
  }
  return spellings;
}

}  // namespace sequela
