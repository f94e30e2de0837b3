#include <gtest/gtest.h>

#include "sequela/meds/ingest.h"
#include "tests/meds/support.h"
#include "tests/support/shared.h"

namespace sequela {
namespace {

struct SetCounts {
  std::string path;
  int64_t subjects, events, codes, shards;
};

class RealSets : public testing::TestWithParam<SetCounts> {};

TEST_P(RealSets, CountsAreThoseOfTheirDescription) {
  SEQUELA_NEED_SHARED();
  TemporaryFolder folder;
  const IngestReport report =
      ingest({.meds = shared_path(GetParam().path), .folder = folder.path()});
  EXPECT_EQ(report.num_subjects, GetParam().subjects);
  EXPECT_EQ(report.num_events, GetParam().events);
  EXPECT_EQ(report.num_codes, GetParam().codes);
  EXPECT_EQ(report.num_shards, GetParam().shards);
  const EventStore store = EventStore::open(folder.path());
  EXPECT_EQ(store.num_subjects(), report.num_subjects);
  EXPECT_EQ(store.num_events(), report.num_events);
}

INSTANTIATE_TEST_SUITE_P(Meds, RealSets,
                         testing::Values(SetCounts{"data/mimic4_demo_meds", 100, 916166, 7035, 3},
                                         SetCounts{"data/synthea27_meds", 28, 24783, 417, 1},
                                         SetCounts{"data/synthea27_meds_athena", 28, 24835, 422, 4},
                                         SetCounts{"data/gibleed_meds", 2694, 222341, 322, 2},
                                         SetCounts{"data/femr_tutorial/meds", 200, 2589, 1883, 1},
                                         SetCounts{"parity/motor/g60/meds", 60, 12226, 300, 1}),
                         [](const auto& info) { return "set" + std::to_string(info.index); });

}  // namespace
}  // namespace sequela
