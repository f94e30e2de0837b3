// How `follow` stops and goes on: states in a folder, memory, folders that grow, signals.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "sequela/core/interrupt.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"
#include "sequela/run/folder_lock.h"
#include "tests/pipeline/live_bundle.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

FollowOptions options_for(const LiveBundle& bundle, const std::string& states) {
  FollowOptions options;
  options.live = bundle.options();
  options.live.tasks = {"ATC/G"};
  options.with_embedding = true;
  options.states = states;
  options.memory_bytes = int64_t{4} << 30;
  return options;
}

// Answers agree to the digits that the order of sums in a pass leaves.
void expect_same(const std::vector<Json>& answers, const std::vector<Json>& expected) {
  ASSERT_EQ(answers.size(), expected.size());
  for (size_t i = 0; i < answers.size(); ++i) {
    for (const char* key : {"subject_id", "time", "outcome"})
      ASSERT_EQ(answers[i].at(key), expected[i].at(key)) << i;
    if (expected[i].at("embedding").is_null()) continue;
    EXPECT_NEAR(answers[i]["risks"]["ATC/G"].get<double>(),
                expected[i]["risks"]["ATC/G"].get<double>(), 1e-5);
    const auto a = answers[i]["embedding"].get<std::vector<float>>();
    const auto b = expected[i]["embedding"].get<std::vector<float>>();
    for (size_t h = 0; h < a.size(); ++h) ASSERT_NEAR(a[h], b[h], 1e-5) << i;
  }
}

std::vector<Json> both(const Followed& first, const Followed& second) {
  std::vector<Json> answers = first.answers();
  for (const Json& answer : second.answers()) answers.push_back(answer);
  return answers;
}

TEST(FollowStates, ARestartGoesOnWhereTheLastRunStopped) {
  const LiveBundle bundle;
  const TestFolder folder;
  auto events = events_of(LiveBundle::meds());
  std::ranges::stable_sort(events, {}, &OwnedEvent::time_us);  // all patients at once
  const Followed whole(lines_of(events), options_for(bundle, ""));
  // The first 180 events are static, three a patient: the first cut leaves ten who wait.
  for (const size_t cut : {size_t{30}, events.size() / 2}) {
    const std::string states = folder / std::to_string(cut);
    const auto all = std::span<const OwnedEvent>(events);
    const Followed first(lines_of(all.first(cut)), options_for(bundle, states));
    EXPECT_FALSE(fs::exists(states + "/spill"));
    const Followed second(lines_of(all.subspan(cut)), options_for(bundle, states));
    expect_same(both(first, second), whole.answers());
    EXPECT_TRUE(cut != 30 || first.report.num_waiting == 10);
  }
}

TEST(FollowStates, SavesWhileItRuns) {
  const LiveBundle bundle;
  const TestFolder folder;
  auto events = events_of(LiveBundle::meds());
  std::ranges::stable_sort(events, {}, &OwnedEvent::time_us);
  const std::string lines = lines_of(std::span(events).first(2'000));
  FollowOptions options = options_for(bundle, folder / "states");
  options.save_seconds = 1e-9;  // after each pass
  const Followed saved(lines, options), whole(lines, options_for(bundle, ""));
  expect_same(saved.answers(), whole.answers());
  EXPECT_EQ(saved.report.num_patients, whole.report.num_patients);
  const Json index = parse_json(read_file(folder / "states/follow.json"), "follow.json");
  EXPECT_GT(index.at("save").get<int64_t>(), 3);
}

TEST(FollowStates, MemoryIsKeptAndTheRestSpilled) {
  const LiveBundle bundle;
  const TestFolder folder;
  auto events = events_of(LiveBundle::meds());
  std::ranges::stable_sort(events, {}, &OwnedEvent::time_us);
  std::vector<LiveEvent> views;
  for (const OwnedEvent& event : events)
    views.push_back({event.subject_id, event.time_us, event.code, {}});
  const auto last_embedding = [&](LiveScorer& scorer, int64_t limit) {
    std::vector<float> last;
    scorer.add(views, [&](const LiveRows& rows) {
      EXPECT_LE(scorer.embedder().patients().memory_bytes(), limit);
      const float* row = rows.embeddings_nH + (rows.num_events - 1) * scorer.hidden_size();
      last.assign(row, row + scorer.hidden_size());
    });
    return last;
  };
  LiveOptions options = bundle.options();
  LiveScorer wide(options);
  const int64_t most = wide.embedder().max_bytes_per_patient();
  const std::vector<float> expected = last_embedding(wide, int64_t{60} * most);
  options.spill_folder = folder / "spill";
  LiveScorer narrow(options);
  narrow.embedder().set_memory_bytes(3 * most);
  EXPECT_EQ(narrow.embedder().max_events_at_once(), 3);
  const std::vector<float> last = last_embedding(narrow, 3 * most);
  EXPECT_EQ(narrow.embedder().patients().num_patients(), 60);
  EXPECT_LT(narrow.embedder().patients().num_in_memory(), 60);
  EXPECT_FALSE(fs::is_empty(options.spill_folder));
  for (size_t h = 0; h < last.size(); ++h) EXPECT_NEAR(last[h], expected[h], 1e-5);
  // A new limit holds at once: what it does not hold is spilled, or the error says so.
  narrow.embedder().set_memory_bytes(most);
  EXPECT_LE(narrow.embedder().patients().memory_bytes(), most);
  EXPECT_THROW(narrow.embedder().set_memory_bytes(most - 1), ConfigError);
  EXPECT_THROW(wide.embedder().set_memory_bytes(most), ResourceError);
}

TEST(FollowStates, OnlyOneRunWorksInAFolder) {
  const LiveBundle bundle;
  const TestFolder folder;
  const FolderLock lock(folder / "states");
  EXPECT_NE(Followed("", options_for(bundle, folder / "states")).error, "");
}

TEST(FollowStates, DamageIsNamed) {
  const LiveBundle bundle;
  const TestFolder folder;
  const std::string states = folder / "states";
  const std::string birth = R"({"subject_id": 7, "time": "1960-03-01", "code": "MEDS_BIRTH"})";
  EXPECT_EQ(Followed(birth, options_for(bundle, states)).error, "");
  fs::copy(states + "/7.state", states + "/8.state");
  const Followed other(R"({"subject_id": 8, "time": "1961-03-01", "code": "a"})",
                       options_for(bundle, states));
  EXPECT_NE(other.error.find("8.state: the state of another patient"), std::string::npos);
  fs::resize_file(states + "/7.state", 100);
  const std::string next = R"({"subject_id": 7, "time": "1961-03-01", "code": "a"})";
  EXPECT_NE(Followed(next, options_for(bundle, states)).error.find("7.state"), std::string::npos);
  std::ofstream(states + "/follow.json") << "{\"shards\": 1}";
  EXPECT_NE(Followed(next, options_for(bundle, states)).error.find("follow.json: damaged"),
            std::string::npos);
}

constexpr const char* kBirth = R"({"subject_id": 7, "time": "1960-03-01", "code": "MEDS_BIRTH"})";
constexpr const char* kVisit = R"({"subject_id": 7, "time": "1961-03-01", "code": "Visit/IP"})";
constexpr const char* kNextVisit = R"({"subject_id": 7, "time": "1962-03-01", "code": "Visit/ER"})";

TEST(FollowStates, AKilledSaveCountsOnceItsIndexIsThere) {
  const LiveBundle bundle;
  const TestFolder folder;
  const std::string before = folder / "before", after = folder / "after";
  EXPECT_EQ(Followed(kBirth, options_for(bundle, before)).error, "");
  fs::copy(before, after);
  const Followed visit(kVisit, options_for(bundle, after));
  // The second save, killed: its states are written, and its index too or not yet.
  const auto killed = [&](const std::string& name, const std::string& index) {
    fs::copy(before, folder / name);
    fs::create_directory(folder / name + "/saving-2");
    fs::copy(after + "/7.state", folder / name + "/saving-2/7.state");
    fs::copy(index + "/follow.json", folder / name + "/follow.json",
             fs::copy_options::overwrite_existing);
    return options_for(bundle, folder / name);
  };
  const Followed again(kVisit, killed("without", before));
  EXPECT_EQ(again.error, "");
  EXPECT_EQ(again.text, visit.text);
  const Followed next(kNextVisit, killed("with", after));
  EXPECT_EQ(next.error, "");
  EXPECT_EQ(next.text, Followed(kNextVisit, options_for(bundle, after)).text);
  for (const char* name : {"without", "with"})
    EXPECT_FALSE(fs::exists(folder / name + "/saving-2"));
}

// Events as a shard, which appears whole.
void write_shard(const std::string& path, std::span<const OwnedEvent> events) {
  std::vector<int64_t> ids, times;
  std::vector<std::string> codes, texts;
  std::vector<float> numbers;
  std::vector<uint8_t> has_times, has_numbers, has_texts;
  for (const OwnedEvent& event : events) {
    ids.push_back(event.subject_id);
    times.push_back(event.time_us);
    has_times.push_back(event.time_us != kNoTime);
    codes.push_back(event.code);
    numbers.push_back(event.number.value_or(0));
    has_numbers.push_back(event.number.has_value());
    texts.push_back(event.text);
    has_texts.push_back(!event.text.empty());
  }
  fs::create_directories(fs::path(path).parent_path());
  write_parquet(path, {{.name = "subject_id", .values = ids},
                       {.name = "time", .values = times, .valid = has_times, .is_timestamp = true},
                       {.name = "code", .values = codes},
                       {.name = "numeric_value", .values = numbers, .valid = has_numbers},
                       {.name = "text_value", .values = texts, .valid = has_texts}});
}

TEST(FollowStates, NewShardsArePickedUpUntilASignal) {
  const LiveBundle bundle;
  const TestFolder folder;
  const std::string meds = folder / "meds";
  fs::create_directories(meds);
  const auto events = events_of(LiveBundle::meds());
  const auto all = std::span<const OwnedEvent>(events);
  FollowOptions options = options_for(bundle, folder / "states");
  options.meds = meds;
  std::ofstream out(folder / "answers.jsonl");
  FollowReport report;
  std::thread run([&] { report = follow(options, out); });
  write_shard(meds + "/data/a.parquet", all.first(4'000));
  // Whatever the signal comes upon, the rest is taken up by the next run.
  for (int i = 0; i < 600 && fs::file_size(folder / "answers.jsonl") == 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  request_stop(SIGTERM);
  run.join();
  reset_stop();
  EXPECT_GT(report.num_events, 0);
  EXPECT_LE(report.num_events, 4'000);

  write_shard(meds + "/data/b/c.parquet", all.subspan(4'000));  // within a patient's record
  options.is_once = true;
  const Followed rest(options);
  EXPECT_EQ(rest.error, "");
  EXPECT_EQ(report.num_events + rest.report.num_events, static_cast<int64_t>(events.size()));
  const Followed whole(lines_of(events), options_for(bundle, ""));
  const auto answers = rest.answers(), expected = whole.answers();
  expect_same(answers, std::vector<Json>(expected.end() - answers.size(), expected.end()));
  EXPECT_EQ(Followed(options).report.num_events, 0);  // all is read
}

TEST(FollowStates, RowsBehindABadOneAreNotLost) {
  const LiveBundle bundle;
  const TestFolder folder;
  const std::string meds = folder / "meds";
  const auto write = [&](const std::string& third_code) {
    write_parquet(
        meds + "/data/0.parquet",
        {{.name = "subject_id", .values = std::vector<int64_t>{1, 1, 1, 1}},
         {.name = "time",
          .values = std::vector<int64_t>{0, 1'000'000, 2'000'000, 3'000'000},
          .is_timestamp = true},
         {.name = "code", .values = std::vector<std::string>{"MEDS_BIRTH", "a", third_code, "b"}}});
  };
  fs::create_directories(meds + "/data");
  write("");
  FollowOptions options = options_for(bundle, folder / "states");
  options.live.codes.clear();
  options.meds = meds;
  options.is_once = true;
  const Followed failed(options);
  EXPECT_NE(failed.error.find("0.parquet: row group 0, row 2 (subject 1): column 'code'"),
            std::string::npos)
      << failed.error;
  EXPECT_EQ(failed.answers().size(), 2u);
  write("c");
  const Followed mended(options);
  EXPECT_EQ(mended.error, "");
  EXPECT_EQ(mended.answers().size(), 2u);
}

}  // namespace
}  // namespace sequela
