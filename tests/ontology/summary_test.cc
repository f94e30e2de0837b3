#include "sequela/ontology/summary.h"

#include <gtest/gtest.h>

#include "sequela/ontology/build_ontology.h"
#include "tests/ontology/support.h"
#include "tests/support/reference.h"

namespace sequela {
namespace {

TEST(Summary, CountsNodesDepthAndVocabularies) {
  const Ontology ontology = Ontology::build({{"A/1", "", {"A/2", "B/1"}, true, 3},
                                             {"A/2", "", {"B/1"}},
                                             {"B/1", "", {"B/2"}, true, 4},
                                             {"C"}});
  const OntologySummary summary = summarize(ontology);
  EXPECT_EQ(summary.num_nodes, 5);
  EXPECT_EQ(summary.num_in_data, 2);
  EXPECT_EQ(summary.num_edges, 4);
  EXPECT_EQ(summary.num_roots, 2);
  EXPECT_EQ(summary.max_depth, 3);
  EXPECT_DOUBLE_EQ(summary.mean_all_parents, 3.0);
  ASSERT_EQ(summary.vocabularies.size(), 3u);
  EXPECT_EQ(summary.vocabularies[0].vocabulary, "A");
  EXPECT_EQ(summary.vocabularies[1].num_events, 4);
  EXPECT_EQ(summary.vocabularies[2].vocabulary, "C");
}

TEST(Summary, OfNothing) {
  EXPECT_EQ(summarize(Ontology::build({})).max_depth, 0);
}

TEST(Summary, OfRecords) {
  const DataCodes data = read_data_codes(reference_path("motor/g60/meds/data"));
  OntologyStats stats;
  const Ontology ontology = build_ontology({.athena = reference_path("motor/g60/athena")},
                                           data.codes, data.counts, &stats);
  const OntologySummary summary = summarize(ontology);
  EXPECT_EQ(summary.num_in_data, 1'045);
  int64_t num_in_data = 0;
  int64_t num_kept = 0;
  for (const auto& vocabulary : stats.vocabularies) {
    num_in_data += vocabulary.num_in_data;
    num_kept += vocabulary.num_kept;
  }
  EXPECT_EQ(num_in_data, 1'045);
  EXPECT_EQ(num_kept, summary.num_nodes);
  const OntologyCoverage coverage = measure_coverage(ontology);
  EXPECT_EQ(coverage.num_codes, 1'045);
  EXPECT_EQ(coverage.num_events, 6'634);
  EXPECT_GT(coverage.num_codes_described, 900);
  EXPECT_GE(coverage.num_codes_with_parent, 1);
}

TEST(Summary, OfSynthea) {
  SEQUELA_NEED_SHARED();
  const DataCodes data = read_data_codes(shared_path("data/synthea27_meds_athena/data"));
  OntologyStats stats;
  const Ontology ontology = build_ontology({.athena = shared_path("data/athena_synthea")},
                                           data.codes, data.counts, &stats);
  const OntologySummary summary = summarize(ontology);
  EXPECT_EQ(summary.num_in_data, 422);
  int64_t num_in_data = 0;
  int64_t num_kept = 0;
  for (const auto& vocabulary : stats.vocabularies) {
    num_in_data += vocabulary.num_in_data;
    num_kept += vocabulary.num_kept;
    if (vocabulary.vocabulary == "SPL") {
      EXPECT_GT(vocabulary.num_dropped, 0);
      EXPECT_EQ(vocabulary.num_kept, vocabulary.num_in_data);
    }
  }
  EXPECT_EQ(num_in_data, 422);
  EXPECT_EQ(num_kept, summary.num_nodes);
  const OntologyCoverage coverage = measure_coverage(ontology);
  EXPECT_EQ(coverage.num_codes, 422);
  EXPECT_EQ(coverage.num_events, 24'835);
  EXPECT_EQ(coverage.num_codes_described, 420);
  EXPECT_GE(coverage.num_codes_with_parent, 1);
}

}  // namespace
}  // namespace sequela
