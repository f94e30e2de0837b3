#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sequela {

// A code taken apart: "ICD10CM/e11.9" -> {"ICD10", "E119"}; "E11.9" -> {"", "E119"};
// "DIAGNOSIS//ICD//10//E119" (MEDS of MIMIC-IV) -> {"ICD10", "E119"}.
struct CodeForm {
  std::string vocabulary;  // usual name, upper case; empty = the code has no prefix
  std::string body;        // upper case, without dots and spaces

  // One text for both: "ICD10|E119".
  std::string key() const { return vocabulary + "|" + body; }
};

CodeForm code_form(std::string_view code);

// How the code may stand in an Athena ontology, likeliest first: "ICD10CM/E11.9", ...
std::vector<std::string> athena_spellings(std::string_view code);

// As cehrbert writes a code: every run of white space becomes "_".
std::string join_words(std::string_view code);

// Text before the first '/' or ':', empty without one.
std::string_view code_prefix(std::string_view code);

}  // namespace sequela
