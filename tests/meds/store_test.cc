// The store's files: the same bytes however they are made, and what a reader makes of them.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "sequela/core/error.h"
#include "tests/meds/support.h"
#include "tests/support/visit_records.h"

namespace sequela {
namespace {

TEST(StoreFiles, BytesDoNotDependOnThreads) {
  TestFolder meds, one, four;
  write_visit_records(meds.path(), {.num_shards = 4});
  ingest({.meds = meds.path(), .folder = one.path(), .properties = {"all"}, .num_threads = 1});
  ingest({.meds = meds.path(),
          .folder = four.path(),
          .properties = {"all"},
          .num_threads = 4,
          .memory_bytes = 1});
  EXPECT_EQ(read_files(one.path()), read_files(four.path()));
}

TEST(StoreFiles, ARerunReusesFinishedShards) {
  TestFolder meds, folder;
  write_visit_records(meds.path(), {.num_shards = 4});
  const IngestOptions options{.meds = meds.path(), .folder = folder.path()};
  EXPECT_EQ(ingest(options).num_shards_reused, 0);
  const auto files = read_files(folder.path());
  ASSERT_EQ(files.size(), 5u);
  EXPECT_EQ(ingest(options).num_shards_reused, 4);
  EXPECT_EQ(read_files(folder.path()), files);

  // As after a kill: one shard not begun, one not finished, one cut, no index.
  auto name = files.begin();
  std::filesystem::remove(folder / name->first);
  ++name;
  std::filesystem::rename(folder / name->first, folder / (name->first + ".partial"));
  ++name;
  std::filesystem::resize_file(folder / name->first, name->second.size() / 2);
  std::filesystem::remove(folder / "store.index");
  EXPECT_EQ(ingest(options).num_shards_reused, 1);
  EXPECT_EQ(read_files(folder.path()), files);

  // Other columns make other shards; those of before go.
  IngestOptions other = options;
  other.properties = {"numeric_value"};
  EXPECT_EQ(ingest(other).num_shards_reused, 0);
  EXPECT_EQ(read_files(folder.path()).size(), 5u);
}

// Claims are by file descriptor: threads stand for processes.
TEST(StoreFiles, SeveralProcessesFillOneStore) {
  TestFolder meds, alone, together, claims;
  write_visit_records(meds.path(), {.num_shards = 4});
  IngestOptions options{.meds = meds.path(), .folder = alone.path()};
  ingest(options);
  options.folder = together.path();
  std::atomic<int64_t> num_reused = 0;
  {
    std::vector<std::jthread> processes;
    for (int rank = 0; rank < 3; ++rank) {
      processes.emplace_back([&, rank] {
        num_reused += ingest(options, SharedWork(claims / "ranks", rank, 3)).num_shards_reused;
      });
    }
  }
  EXPECT_EQ(num_reused, 2 * 4);  // each shard is made by one, and found by the two others
  EXPECT_EQ(read_files(together.path()), read_files(alone.path()));
}

// Resident file pages of this process that belong to a folder's files, in bytes.
int64_t resident_bytes(const std::string& folder) {
  std::ifstream maps("/proc/self/smaps");
  int64_t bytes = 0;
  bool is_ours = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find('/') != std::string::npos) is_ours = line.find(folder) != std::string::npos;
    if (is_ours && line.starts_with("Rss:")) bytes += 1024 * std::stoll(line.substr(4));
  }
  return bytes;
}

TEST(Store, ReleasedEventsLeaveMemoryAndComeBack) {
  TestFolder meds, folder;
  write_visit_records(meds.path(), {.num_subjects = 100, .num_visits = 800});
  ingest({.meds = meds.path(), .folder = folder.path()});
  const EventStore store = EventStore::open(folder.path());
  const auto sum_of = [&](int64_t subject_index) {
    const Subject subject = store.subject(subject_index);
    int64_t sum = 0;
    for (int64_t i = 0; i < subject.num_events; ++i) sum += subject.code(i) ^ subject.time_us(i);
    return sum;
  };
  std::vector<int64_t> sums;
  for (int64_t s = 0; s < store.num_subjects(); ++s) sums.push_back(sum_of(s));
  const int64_t read = resident_bytes(folder.path());
  EXPECT_GT(read, 12 * store.num_events() / 2);
  store.release(0, store.num_subjects());
  EXPECT_LT(resident_bytes(folder.path()), read / 4);
  for (int64_t s = 0; s < store.num_subjects(); ++s) EXPECT_EQ(sum_of(s), sums[s]);
  // Bit by bit behind a pass, as the stages do.
  store.release(0, store.num_subjects());
  int64_t most = 0;
  for (int64_t s = 0; s < store.num_subjects(); ++s) {
    sum_of(s);
    store.release(s, s + 1);
    most = std::max(most, resident_bytes(folder.path()));
  }
  EXPECT_LT(most, read / 2);
}

TEST(Store, FindsSubjectsAndRefusesDamage) {
  TestFolder meds, folder;
  write_visit_records(meds.path(), {.num_subjects = 2'000, .num_visits = 2});
  ingest({.meds = meds.path(), .folder = folder.path()});
  {
    const EventStore store = EventStore::open(folder.path());
    for (int64_t i = 0; i < store.num_subjects(); ++i) {
      ASSERT_EQ(store.find_subject(store.subject_id(i)), i);
      if (i > 0) {
        ASSERT_LT(store.subject_id(i - 1), store.subject_id(i));
      }
    }
    EXPECT_FALSE(store.find_subject(-1).has_value());
  }
  for (const auto& [name, content] : read_files(folder.path())) {
    std::string broken = content;
    broken[40] ^= 1;  // in the fingerprint, under the header's check
    write_file(folder / name, broken);
    EXPECT_THROW(EventStore::open(folder.path()), FileError) << name;
    write_file(folder / name, content.substr(0, content.size() / 2));
    EXPECT_THROW(EventStore::open(folder.path()), FileError) << name;
    write_file(folder / name, content);
  }
  EXPECT_NO_THROW(EventStore::open(folder.path()));
}

}  // namespace
}  // namespace sequela
