#pragma once

#include <filesystem>
#include <string>

#include "sequela/io/file.h"

namespace sequela {

// An Athena folder as text: a tree of concepts TREE/0 .. TREE/59, whose i-th concept is a child of
// the (i / 3)-th; one in five is not standard and maps to the one before it.
struct AthenaText {
  std::string concepts, relationships, ancestors;

  void write(const std::string& folder) const {
    std::filesystem::create_directories(folder);
    write_file(folder + "/CONCEPT.csv", concepts);
    write_file(folder + "/CONCEPT_RELATIONSHIP.csv", relationships);
    write_file(folder + "/CONCEPT_ANCESTOR.csv", ancestors);
  }
};

inline std::string ancestor_row(int ancestor, int descendant, int level) {
  const std::string levels = std::to_string(level);
  return std::to_string(100 + ancestor) + "\t" + std::to_string(100 + descendant) + "\t" + levels +
         "\t" + levels + "\n";
}

inline std::string maps_to_row(int from, int to) {
  return std::to_string(100 + from) + "\t" + std::to_string(100 + to) +
         "\tMaps to\t19700101\t20991231\t\n";
}

inline AthenaText good_athena(const std::string& first_name = "the root, of all") {
  AthenaText text{.concepts =
                      "concept_id\tconcept_name\tdomain_id\tvocabulary_id\tconcept_class_id\t"
                      "standard_concept\tconcept_code\tvalid_start_date\tvalid_end_date\t"
                      "invalid_reason\n",
                  .relationships =
                      "concept_id_1\tconcept_id_2\trelationship_id\tvalid_start_date\t"
                      "valid_end_date\tinvalid_reason\n",
                  .ancestors =
                      "ancestor_concept_id\tdescendant_concept_id\tmin_levels_of_separation\t"
                      "max_levels_of_separation\n"};
  for (int i = 0; i < 60; ++i) {
    const bool is_standard = i % 5 != 4;
    const std::string name = i == 0 ? first_name : "concept " + std::to_string(i) + ", of a tree";
    text.concepts += std::to_string(100 + i) + "\t" + name + "\tCondition\tTREE\tClass\t" +
                     (is_standard ? "S" : "") + "\t" + std::to_string(i) +
                     "\t19700101\t20991231\t\n";
    text.relationships += maps_to_row(i, is_standard ? i : i - 1);
    if (!is_standard) continue;
    int level = 0;
    for (int above = i;; above /= 3) {
      if (above % 5 != 4) text.ancestors += ancestor_row(above, i, level++);
      if (above == 0) break;
    }
  }
  return text;
}

inline std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// Writes the folder with the fault that its name says.
inline void write_bad_athena(const std::string& name, const std::string& folder) {
  const std::string fault = name.substr(3);
  AthenaText text = good_athena(fault == "athena_huge_field" ? std::string(size_t{8} << 20, 'x')
                                                             : "the root, of all");
  if (fault == "athena_missing_column") {
    text.concepts = replace_all(text.concepts, "\tconcept_code\t", "\tother\t");
  } else if (fault == "athena_wrong_delimiter") {
    for (std::string* table : {&text.concepts, &text.relationships, &text.ancestors}) {
      *table = replace_all(*table, "\t", ",");
    }
  } else if (fault == "athena_cycle") {
    text.ancestors += ancestor_row(10, 11, 1) + ancestor_row(11, 12, 1) + ancestor_row(12, 10, 1);
  } else if (fault == "athena_dangling") {
    text.relationships += maps_to_row(4, 9'999);
    text.ancestors += ancestor_row(9'999, 5, 1);
  }
  text.write(folder);
}

}  // namespace sequela
