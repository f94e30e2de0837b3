#include <gtest/gtest.h>

#include <algorithm>

#include "sequela/batch/plan.h"
#include "sequela/meds/event_store.h"
#include "sequela/meds/ingest.h"
#include "sequela/pipeline/stage_options.h"
#include "sequela/synth/synth.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

PrepareOptions with(int num_threads, int64_t mebibytes, BatchForm form) {
  PrepareOptions options;
  options.num_threads = num_threads;
  options.memory_bytes = mebibytes << 20;
  options.batch_format = form;
  return options;
}

TEST(PrepareMemory, ThreadsAreAsManyAsFit) {
  EXPECT_EQ(threads_within_memory(with(2, 1024, BatchForm::compact)), 2);
  EXPECT_EQ(threads_within_memory(with(64, 1024, BatchForm::compact)), 14);
  EXPECT_EQ(threads_within_memory(with(64, 1024, BatchForm::femr)), 9);
  EXPECT_EQ(threads_within_memory(with(64, 64, BatchForm::compact)), 1);
  EXPECT_EQ(tokenizer_options(with(64, 1024, BatchForm::compact)).num_threads, 14);
  EXPECT_EQ(batch_options(with(64, 1024, BatchForm::femr)).num_threads, 9);
}

// What a thread holds of the data is a bucket of subjects: it must not grow with their number.
TEST(PrepareMemory, BucketsAreAsLargeForAnyNumberOfSubjects) {
  constexpr int64_t kBucketEvents = 1 << 18;
  const TestFolder folder;
  SynthOptions records;
  records.num_subjects = 900;
  records.folder = folder / "data";
  synth(records);
  IngestOptions reading;
  reading.meds = folder / "data/meds";
  reading.folder = folder / "events";
  ingest(reading);
  const EventStore store = EventStore::open(reading.folder);
  ASSERT_GT(store.num_events(), 2 * kBucketEvents);

  int64_t largest = 0;
  for (int64_t i = 0; i < store.num_subjects(); ++i) {
    largest = std::max(largest, store.subject(i).num_events);
  }
  const std::vector<Side> sides(store.num_subjects(), Side::train);
  const std::vector<Bucket> buckets = plan_buckets(store, sides, Side::train);
  int64_t next = 0, num_events = 0;
  for (const Bucket& bucket : buckets) {
    EXPECT_EQ(bucket.first_subject, next);
    next = bucket.end_subject;
    num_events += bucket.num_events;
    EXPECT_LT(bucket.num_events, kBucketEvents + largest);
    if (&bucket != &buckets.back()) {
      EXPECT_GE(bucket.num_events, kBucketEvents);
    }
  }
  EXPECT_EQ(next, store.num_subjects());
  EXPECT_EQ(num_events, store.num_events());
}

}  // namespace
}  // namespace sequela
