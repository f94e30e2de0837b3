// `follow` against `features` on the same records, and what it does with odd streams.
#include "sequela/pipeline/follow.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "sequela/io/parquet.h"
#include "sequela/pipeline/features.h"
#include "sequela/synth/synth.h"
#include "tests/pipeline/live_bundle.h"
#include "tests/pipeline/small_run.h"
#include "tests/support/npz.h"

namespace sequela {
namespace {

FollowOptions options_for(const LiveOptions& live) {
  FollowOptions options;
  options.live = live;
  options.memory_bytes = int64_t{4} << 30;
  return options;
}

FollowOptions follow_meds(const LiveOptions& live, const std::string& meds) {
  FollowOptions options = options_for(live);
  options.meds = meds;
  options.is_once = true;
  return options;
}

// Embeddings of labels by `features`, beside what `follow` says of the subject after the last event
// at or before the label's time: the largest difference of an entry.
struct Compared {
  double difference = 0, magnitude = 0;
  size_t num_labels = 0;

  Compared(const FeaturesOptions& wanted, const Followed& followed) {
    compute_features(wanted);
    const NpzFile features(wanted.out + "/features.npz");
    const auto ids = features.get<int64_t>("subject_ids").values;
    const auto times = features.get<int64_t>("prediction_times").values;
    const auto expected = features.get<float>("features").values;
    const auto events = events_of(wanted.meds);
    const auto answers = followed.answers();
    EXPECT_EQ(answers.size(), events.size()) << followed.error;
    if (answers.size() != events.size()) return;
    std::map<std::pair<int64_t, int64_t>, const Json*> by_time;  // the last of a time counts
    for (size_t i = 0; i < events.size(); ++i)
      by_time[{events[i].subject_id, events[i].time_us}] = &answers[i];
    num_labels = ids.size();
    const size_t hidden = expected.size() / num_labels;
    for (size_t label = 0; label < num_labels; ++label) {
      const auto last = std::prev(by_time.upper_bound({ids[label], times[label]}));
      EXPECT_EQ(last->first.first, ids[label]);
      const auto live = last->second->at("embedding").get<std::vector<float>>();
      EXPECT_EQ(live.size(), hidden);
      for (size_t h = 0; h < std::min(live.size(), hidden); ++h) {
        const double value = expected[label * hidden + h];
        difference = std::max(difference, std::abs(live[h] - value));
        magnitude = std::max(magnitude, std::abs(value));
      }
    }
  }
};

FeaturesOptions features_options(const LiveOptions& live, const std::string& meds,
                                 const std::string& labels, const std::string& out) {
  FeaturesOptions options;
  options.meds = meds;
  options.model = live.model;
  options.athena = live.athena;
  options.labels = labels;
  options.out = out;
  options.device = "cpu";
  return options;
}

TEST(Follow, EqualsFeaturesOfABundleThatWasTrained) {
  const TestFolder folder;
  synth({.num_subjects = 24, .seed = 5, .folder = folder / "synth"});
  prepare(small_prepare(folder / "files", folder / "synth"));
  PretrainOptions training = small_pretrain(folder / "files", folder / "output", folder / "model");
  training.train.max_steps = training.train.eval_every = 12;
  pretrain(training);
  const LiveOptions live{.model = folder / "model"};
  const std::string meds = folder / "synth/meds";
  const Compared compared(
      features_options(live, meds, folder / "synth/labels.parquet", folder / "features"),
      Followed(follow_meds(live, meds)));
  EXPECT_GT(compared.num_labels, 20u);
  EXPECT_GT(compared.magnitude, 1);
  EXPECT_LT(compared.difference, 1e-5);
}

// A label at each subject's every seventh event that has a time.
void write_labels(const std::string& meds, const std::string& path) {
  std::vector<int64_t> ids, times;
  const auto events = events_of(meds);
  for (size_t i = 0; i < events.size(); i += 7) {
    if (events[i].time_us == kNoTime) continue;
    ids.push_back(events[i].subject_id);
    times.push_back(events[i].time_us);
  }
  write_parquet(path, {{.name = "subject_id", .values = ids},
                       {.name = "prediction_time", .values = times, .is_timestamp = true},
                       {.name = "boolean_value", .values = std::vector<uint8_t>(ids.size(), 1)}});
}

TEST(Follow, EqualsFeaturesWithAnAthenaDownload) {
  const TestFolder folder;
  const LiveBundle bundle;
  write_labels(LiveBundle::meds(), folder / "labels.parquet");
  LiveOptions live = bundle.options();
  live.codes.clear();  // follow finds those of the data set, as features does
  const Compared compared(
      features_options(live, LiveBundle::meds(), folder / "labels.parquet", folder / "features"),
      Followed(follow_meds(live, LiveBundle::meds())));
  EXPECT_GT(compared.num_labels, 500u);
  EXPECT_LT(compared.difference, 1e-5);
}

// Embeddings to 1e-5: lines come in other passes than a shard's events, whose products sum in
// another order.
void expect_same_answers(const Followed& left, const Followed& right) {
  const std::vector<Json> lefts = left.answers(), rights = right.answers();
  ASSERT_EQ(lefts.size(), rights.size());
  for (size_t i = 0; i < lefts.size(); ++i) {
    for (const char* key : {"subject_id", "time", "outcome"}) {
      ASSERT_EQ(lefts[i].at(key), rights[i].at(key)) << i;
    }
    ASSERT_EQ(lefts[i].at("embedding").size(), rights[i].at("embedding").size()) << i;
    for (size_t h = 0; h < lefts[i].at("embedding").size(); ++h) {
      ASSERT_NEAR(lefts[i].at("embedding")[h].get<double>(),
                  rights[i].at("embedding")[h].get<double>(), 1e-5)
          << i;
    }
  }
}

TEST(Follow, LinesAndShardsGetTheSameAnswers) {
  const LiveBundle bundle;
  const auto events = events_of(LiveBundle::meds());
  const Followed lines(lines_of(events), options_for(bundle.options()));
  expect_same_answers(lines, Followed(follow_meds(bundle.options(), LiveBundle::meds())));
  EXPECT_EQ(lines.report.num_events, static_cast<int64_t>(events.size()));
  EXPECT_EQ(lines.report.num_patients, 60);
  EXPECT_EQ(lines.report.num_waiting, 0);
}

constexpr const char* kBirth = R"({"subject_id": 7, "time": "1960-03-01", "code": "MEDS_BIRTH"})";

std::string line(const std::string& time, const std::string& code, int64_t subject_id = 7) {
  return str("{\"subject_id\": ", subject_id, ", \"time\": \"", time, "\", \"code\": \"", code,
             "\"}\n");
}

std::vector<std::string> outcomes(const Followed& followed) {
  std::vector<std::string> outcomes;
  for (const Json& answer : followed.answers()) outcomes.push_back(answer.at("outcome"));
  return outcomes;
}

using Words = std::vector<std::string>;

TEST(Follow, EventsWaitForTheBirthAndThenCount) {
  const LiveBundle bundle;
  const std::string sex = "{\"subject_id\": 7, \"code\": \"Gender/M\"}\n";
  const std::string later = line("1970-01-01T10:00:00", "Visit/IP");
  const Followed known(kBirth + ("\n" + later), options_for(bundle.options()));
  const Followed waited(sex + "\n \r\n" + kBirth + "\n" + later, options_for(bundle.options()));
  EXPECT_EQ(outcomes(known), (Words{"grew_birth_bag", "new_token"}));
  EXPECT_EQ(outcomes(waited), (Words{"waits_for_birth", "grew_birth_bag", "new_token"}));
  EXPECT_TRUE(waited.answers()[0].at("embedding").is_null());
  EXPECT_TRUE(waited.answers()[0].at("time").is_null());
  EXPECT_EQ(waited.answers()[1].at("time"), "1960-03-01T00:00:00");
  EXPECT_NE(waited.answers()[1].at("embedding"), known.answers()[0].at("embedding"));
  EXPECT_NE(waited.answers()[2].at("embedding"), known.answers()[1].at("embedding"));

  const Followed never(sex + line("1970-01-01", "Visit/IP"), options_for(bundle.options()));
  EXPECT_EQ(outcomes(never), (Words{"waits_for_birth", "waits_for_birth"}));
  EXPECT_EQ(never.report.num_waiting, 1);
  EXPECT_EQ(never.report.num_patients, 0);
}

TEST(Follow, ABadLineIsNamedAndNotShown) {
  const LiveBundle bundle;
  const std::string birth = std::string(kBirth) + "\n";
  for (const auto& [bad, what] : std::vector<std::pair<std::string, std::string>>{
           {"SECRET", "no JSON object"},
           {"[1, \"SECRET\"]", "no JSON object"},
           {R"({"subject_id": "SECRET", "code": "a"})", "column 'subject_id': no integer"},
           {R"({"subject_id": 1.5, "code": "a"})", "column 'subject_id': no integer"},
           {R"({"subject_id": 18446744073709551615, "code": "a"})", "no integer"},
           {R"({"subject_id": 7, "time": "SECRET", "code": "a"})", "column 'time': no time"},
           {R"({"subject_id": 7, "time": 5, "code": "a"})", "column 'time': no time"},
           {R"({"subject_id": 7, "time": "1970-01-01"})", "column 'code': missing or empty"},
           {R"({"subject_id": 7, "time": "1970-01-01", "code": ["SECRET"]})", "'code': no text"},
           {R"({"subject_id": 7, "time": "1970-01-01", "code": "a", "numeric_value": "SECRET"})",
            "column 'numeric_value': no number"},
           {R"({"subject_id": 7, "time": "1970-01-01", "code": "a", "text_value": 1})",
            "column 'text_value': no text"},
           {R"({"subject_id": 7, "time": "1950-01-01", "code": "SECRET"})", "earlier than"},
           {R"({"subject_id": 7, "time": null, "code": "SECRET"})", "without a time"},
           {"{\"subject_id\": 7, \"code\": \"" + std::string(2 << 20, 'S') + "ECRET\"}",
            "longer than"}}) {
    const std::string lines = birth + "\n" + bad + "\n" + line("1970-01-01", "Visit/IP");
    const Followed failed(lines, options_for(bundle.options()));
    EXPECT_EQ(failed.error.find("standard input, line 3: "), 0u) << failed.error;
    EXPECT_NE(failed.error.find(what), std::string::npos) << failed.error;
    EXPECT_NE(failed.error.find(". Fix: "), std::string::npos) << failed.error;
    EXPECT_EQ(failed.error.find("SECRET"), std::string::npos) << failed.error;
    EXPECT_EQ(failed.answers().size(), 1u) << what;

    FollowOptions skipping = options_for(bundle.options());
    skipping.bad_events = BadEvents::skip;
    const Followed skipped(lines, skipping);
    EXPECT_EQ(skipped.error, "");
    EXPECT_EQ(skipped.report.num_bad, 1);
    EXPECT_EQ(outcomes(skipped), (Words{"grew_birth_bag", "new_token"})) << what;
  }
}

TEST(Follow, RefusesOptionsThatDoNotGoTogether) {
  const LiveBundle bundle;
  const auto error = [&](const auto& change) {
    FollowOptions options = options_for(bundle.options());
    change(options);
    return Followed("", options).error;
  };
  EXPECT_NE(error([](auto& o) { o.is_once = true; }).find("--meds"), std::string::npos);
  EXPECT_NE(error([](auto& o) { o.live.horizon_days = 0; }).find("horizon: '0'"),
            std::string::npos);
  EXPECT_NE(error([](auto& o) { o.memory_bytes = 1 << 20; }).find("memory: '1M'"),
            std::string::npos);
  EXPECT_NE(error([](auto& o) { o.meds = "/nowhere"; }).find("/nowhere"), std::string::npos);
  EXPECT_NE(error([](auto& o) { o.live.athena.clear(); }).find("--athena"), std::string::npos);
  EXPECT_THROW(to_bad_events("warn"), ConfigError);
}

}  // namespace
}  // namespace sequela
