#include "sequela/synth/athena_tables.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/io/file.h"

namespace sequela {
namespace {

constexpr const char* kValidity = "\t19700101\t20991231\t\n";

int64_t concept_id(int32_t concept_index) {
  return 2'000'000'001 + int64_t{concept_index};
}

struct Ancestor {
  int32_t concept_index;
  int min_levels;
  int max_levels;
};

// The ancestors of each concept, itself included, ascending. Parents come before their children.
std::vector<std::vector<Ancestor>> close_hierarchy(const std::vector<SynthConcept>& concepts) {
  std::vector<std::vector<Ancestor>> closure(concepts.size());
  for (size_t i = 0; i < concepts.size(); ++i) {
    auto& ancestors = closure[i];
    ancestors.push_back({static_cast<int32_t>(i), 0, 0});
    for (const int32_t parent : concepts[i].parents) {
      SEQUELA_CHECK(parent < static_cast<int32_t>(i));
      for (const Ancestor& above : closure[parent]) {
        const auto same = std::find_if(
            ancestors.begin(), ancestors.end(),
            [&](const Ancestor& known) { return known.concept_index == above.concept_index; });
        if (same == ancestors.end()) {
          ancestors.push_back({above.concept_index, above.min_levels + 1, above.max_levels + 1});
        } else {
          same->min_levels = std::min(same->min_levels, above.min_levels + 1);
          same->max_levels = std::max(same->max_levels, above.max_levels + 1);
        }
      }
    }
    std::sort(ancestors.begin(), ancestors.end(), [](const Ancestor& a, const Ancestor& b) {
      return a.concept_index < b.concept_index;
    });
  }
  return closure;
}

void write_concepts(const std::vector<SynthConcept>& concepts, const std::string& path) {
  AtomicFile file(path);
  file.write(
      "concept_id\tconcept_name\tdomain_id\tvocabulary_id\tconcept_class_id\tstandard_concept\t"
      "concept_code\tvalid_start_date\tvalid_end_date\tinvalid_reason\n");
  for (size_t i = 0; i < concepts.size(); ++i) {
    const SynthConcept& entry = concepts[i];
    const std::string standard = entry.standard == 0 ? "" : std::string(1, entry.standard);
    file.write(str(concept_id(static_cast<int32_t>(i)), '\t', entry.name, '\t', entry.domain, '\t',
                   entry.vocabulary, '\t', entry.concept_class, '\t', standard, '\t', entry.code,
                   kValidity));
  }
  file.commit();
}

void write_ancestors(const std::vector<SynthConcept>& concepts, const std::string& path) {
  AtomicFile file(path);
  file.write(
      "ancestor_concept_id\tdescendant_concept_id\tmin_levels_of_separation\t"
      "max_levels_of_separation\n");
  const auto closure = close_hierarchy(concepts);
  for (size_t i = 0; i < concepts.size(); ++i) {
    if (concepts[i].standard == 0) continue;
    for (const Ancestor& above : closure[i]) {
      file.write(str(concept_id(above.concept_index), '\t', concept_id(static_cast<int32_t>(i)),
                     '\t', above.min_levels, '\t', above.max_levels, '\n'));
    }
  }
  file.commit();
}

void write_relationships(const std::vector<SynthConcept>& concepts, const std::string& path) {
  AtomicFile file(path);
  file.write(
      "concept_id_1\tconcept_id_2\trelationship_id\tvalid_start_date\tvalid_end_date\tinvalid_"
      "reason\n");
  const auto write = [&](int32_t from, int32_t to, const char* relationship, const char* reverse) {
    file.write(str(concept_id(from), '\t', concept_id(to), '\t', relationship, kValidity));
    file.write(str(concept_id(to), '\t', concept_id(from), '\t', reverse, kValidity));
  };
  for (int32_t i = 0; i < static_cast<int32_t>(concepts.size()); ++i) {
    const SynthConcept& entry = concepts[i];
    if (entry.standard == 'S') write(i, i, "Maps to", "Mapped from");
    if (entry.maps_to >= 0) write(i, entry.maps_to, "Maps to", "Mapped from");
    for (const int32_t parent : entry.parents) write(i, parent, "Is a", "Subsumes");
  }
  file.commit();
}

// A table of names: id, name, extra columns, concept id 0.
void write_names(const std::set<std::string>& names, const std::string& header,
                 const std::string& extra, const std::string& path) {
  std::string text = header + "\n";
  for (const std::string& name : names) text += str(name, '\t', name, '\t', extra, "0\n");
  write_file(path, text);
}

void write_relationship_kinds(const std::string& path) {
  write_file(path,
             "relationship_id\trelationship_name\tis_hierarchical\tdefines_ancestry\t"
             "reverse_relationship_id\trelationship_concept_id\n"
             "Is a\tIs a\t1\t1\tSubsumes\t0\n"
             "Mapped from\tMapped from\t0\t0\tMaps to\t0\n"
             "Maps to\tMaps to\t0\t0\tMapped from\t0\n"
             "Subsumes\tSubsumes\t1\t1\tIs a\t0\n");
}

}  // namespace

void write_athena_tables(const SynthVocabulary& vocabulary, const std::string& folder) {
  std::filesystem::create_directories(folder);
  const auto& concepts = vocabulary.concepts;
  write_concepts(concepts, folder + "/CONCEPT.csv");
  write_relationships(concepts, folder + "/CONCEPT_RELATIONSHIP.csv");
  write_ancestors(concepts, folder + "/CONCEPT_ANCESTOR.csv");
  std::set<std::string> vocabularies, domains, classes;
  for (const SynthConcept& entry : concepts) {
    vocabularies.insert(entry.vocabulary);
    domains.insert(entry.domain);
    classes.insert(entry.concept_class);
  }
  write_names(vocabularies,
              "vocabulary_id\tvocabulary_name\tvocabulary_reference\tvocabulary_"
              "version\tvocabulary_concept_id",
              "made up by sequela synth\t1\t", folder + "/VOCABULARY.csv");
  write_names(domains, "domain_id\tdomain_name\tdomain_concept_id", "", folder + "/DOMAIN.csv");
  write_names(classes, "concept_class_id\tconcept_class_name\tconcept_class_concept_id", "",
              folder + "/CONCEPT_CLASS.csv");
  write_relationship_kinds(folder + "/RELATIONSHIP.csv");
}

}  // namespace sequela
