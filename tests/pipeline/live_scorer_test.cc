// A live scorer's risks, admission and columns.
#include "sequela/pipeline/live/live_scorer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sequela/pipeline/data_ontology.h"
#include "sequela/pipeline/live/live_columns.h"
#include "tests/pipeline/live_bundle.h"

namespace sequela {
namespace {

constexpr int64_t kYear = 365 * kMicrosPerDay;

std::vector<LiveEvent> views_of(std::span<const OwnedEvent> events) {
  std::vector<LiveEvent> views;
  for (const OwnedEvent& event : events)
    views.push_back({event.subject_id, event.time_us, event.code, {}});
  return views;
}

// A patient's first events: the birth, then one code a year.
std::vector<OwnedEvent> record(const LiveScorer& scorer, int64_t subject_id, int64_t num_events) {
  std::vector<OwnedEvent> events = {{subject_id, 0, "MEDS_BIRTH", {}, {}}};
  for (int64_t i = 1; i < num_events; ++i)
    events.push_back({subject_id, i * kYear, scorer.known_tasks()[i], {}, {}});
  return events;
}

TEST(LiveScorer, RisksFollowFromTheRatesOfTheNamedTasks) {
  const LiveBundle bundle;
  LiveOptions options = bundle.options();
  const LiveScorer all(options);
  options.tasks = {all.known_tasks()[40], all.known_tasks()[3]};
  options.horizon_days = 100;
  LiveScorer scorer(options);
  const auto events = record(scorer, 5, 20);

  const BundleOntology source{
      .model = options.model, .athena = options.athena, .codes_parquet = options.codes};
  const Ontology ontology = source.read_for_any_data();
  Embedder embedder = Embedder::open(options.model, ontology, {});
  const MotorHeadConfig& motor = *embedder.config().motor;
  ASSERT_EQ(motor.num_tasks(), 67);
  embedder.admit(5, 0);
  std::vector<float> embeddings(20 * scorer.hidden_size());
  std::vector<float> rates(20 * motor.num_bins() * motor.num_tasks());
  embedder.add(views_of(events), {embeddings.data(), rates.data(), nullptr});

  size_t num_rows = 0;
  scorer.add(views_of(events), [&](const LiveRows& rows) {
    for (int64_t i = 0; i < rows.num_events; ++i, ++num_rows) {
      for (const auto& [place, task] : {std::pair{0, 40}, {1, 3}}) {
        double expected = 0;  // events within 100 days
        for (int64_t k = 0; k < motor.num_bins(); ++k) {
          const double seconds = std::min(motor.time_bins[k + 1], 100 * 86'400.0) -
                                 std::min(motor.time_bins[k], 100 * 86'400.0);
          const int64_t cell = ((rows.first + i) * motor.num_bins() + k) * 67 + task;
          expected += std::exp2(rates[cell]) * seconds;
        }
        EXPECT_NEAR(rows.risks_nS[i * 2 + place], 1 - std::exp(-expected), 1e-5);
        EXPECT_GT(expected, 1e-3);
      }
    }
  });
  EXPECT_EQ(num_rows, 20u);
}

TEST(LiveScorer, SuggestsTheTaskThatWasMeant) {
  const LiveBundle bundle;
  LiveOptions options = bundle.options();
  options.tasks = {"Vist/IP"};
  const auto error = [&] {
    try {
      const LiveScorer scorer(options);
    } catch (const ConfigError& failure) {
      return std::string(failure.what());
    }
    return std::string();
  };
  EXPECT_NE(error().find("no task 'Vist/IP'; did you mean 'Visit/IP'?"), std::string::npos)
      << error();
  options.tasks = {"nothing like it at all"};
  EXPECT_NE(error().find("no task 'nothing like it at all'. Fix: "), std::string::npos) << error();
  options.tasks.clear();
  options.model = tutorial_path("clmbr_model");
  EXPECT_EQ(error(), "");
  options.tasks = {"x"};
  EXPECT_NE(error().find("no MOTOR head"), std::string::npos) << error();
}

TEST(LiveScorer, AdmitsByTheBirthOrChangesNothing) {
  const LiveBundle bundle;
  LiveScorer scorer(bundle.options());
  const auto nothing = [](const LiveRows&) {};
  std::vector<OwnedEvent> events = record(scorer, 1, 4);
  for (const OwnedEvent& event : record(scorer, 2, 3)) events.push_back(event);
  const auto fault = [&](std::vector<OwnedEvent> changed) {
    try {
      scorer.add(views_of(changed), nothing);
    } catch (const DataError& error) {
      EXPECT_EQ(scorer.embedder().patients().num_patients(), 0);
      return std::pair(error.where().row, error.where().subject_id.value_or(0));
    }
    return std::pair<int64_t, int64_t>(-1, 0);
  };
  auto changed = events;
  changed[4].code = "x";  // the second patient's birth
  EXPECT_EQ(fault(changed), (std::pair<int64_t, int64_t>(4, 2)));
  changed = events;
  changed[4].time_us = kNoTime;  // a birth without a time is none
  EXPECT_EQ(fault(changed), (std::pair<int64_t, int64_t>(4, 2)));
  changed = events;
  changed[6].time_us = -1;
  EXPECT_EQ(fault(changed), (std::pair<int64_t, int64_t>(6, 2)));
  changed = events;
  changed[2].code.clear();
  EXPECT_EQ(fault(changed), (std::pair<int64_t, int64_t>(2, 1)));
  EXPECT_EQ(fault(events).first, -1);
  EXPECT_EQ(scorer.embedder().patients().subject_ids(), (std::vector<int64_t>{1, 2}));
  // The earliest of two births counts; the first with a time is the earliest.
  events = {
      {3, 0, "x", {}, {}}, {3, kYear, "MEDS_BIRTH", {}, {}}, {3, 2 * kYear, "MEDS_BIRTH", {}, {}}};
  scorer.add(views_of(events), nothing);
  EXPECT_TRUE(scorer.embedder().patients().holds(3));
}

TEST(LiveScorer, ColumnsGiveThePatientsLastAnswers) {
  const LiveBundle bundle;
  LiveOptions options = bundle.options();
  options.tasks = {"ATC/G"};
  LiveScorer one(options), many(options);
  const auto events = events_of(LiveBundle::meds());
  // Patients mixed, as events come in.
  std::vector<const OwnedEvent*> mixed;
  for (const OwnedEvent& event : events) {
    if (event.subject_id % 3 == 0) mixed.push_back(&event);
  }
  std::ranges::stable_sort(mixed, {}, [](const OwnedEvent* event) { return event->time_us; });
  ASSERT_GT(mixed.size(), 1'000u);  // several passes
  std::vector<int64_t> ids, times;
  std::vector<int32_t> codes, texts;
  std::vector<float> numbers;
  std::vector<uint8_t> has_numbers;
  LiveColumns columns;
  for (const OwnedEvent* event : mixed) {
    ids.push_back(event->subject_id);
    times.push_back(event->time_us);
    codes.push_back(static_cast<int32_t>(columns.codes.size()));
    columns.codes.push_back(event->code);
    numbers.push_back(event->number.value_or(0));
    has_numbers.push_back(event->number.has_value());
    texts.push_back(event->text.empty() ? -1 : static_cast<int32_t>(columns.texts.size()));
    if (!event->text.empty()) columns.texts.push_back(event->text);
  }
  columns.subject_ids_n = ids;
  columns.times_us_n = times;
  columns.codes_n = codes;
  columns.numbers_n = numbers;
  columns.has_numbers_n = has_numbers;
  columns.texts_n = texts;
  const LiveAnswers answers = add_columns(many, columns);
  EXPECT_EQ(answers.subject_ids_S.size(), 20u);
  EXPECT_EQ(answers.subject_ids_S[0], mixed[0]->subject_id);

  for (size_t s = 0; s < answers.subject_ids_S.size(); ++s) {
    std::vector<std::vector<LiveValue>> values;
    std::vector<LiveEvent> alone;
    for (const OwnedEvent* event : mixed) {
      if (event->subject_id != answers.subject_ids_S[s]) continue;
      values.emplace_back();
      if (event->number) values.back().push_back({"numeric_value", event->number, {}});
      if (!event->text.empty()) values.back().push_back({"text_value", std::nullopt, event->text});
      alone.push_back({event->subject_id, event->time_us, event->code, {}});
    }
    for (size_t i = 0; i < alone.size(); ++i) alone[i].values = values[i];
    one.add(alone, [&](const LiveRows& rows) {
      if (rows.first + rows.num_events < static_cast<int64_t>(alone.size())) return;
      const float* last = rows.embeddings_nH + (rows.num_events - 1) * one.hidden_size();
      for (int64_t h = 0; h < one.hidden_size(); ++h)
        EXPECT_NEAR(answers.embeddings_SH[s * one.hidden_size() + h], last[h], 1e-5);
      EXPECT_NEAR(answers.risks_SC[s], rows.risks_nS[rows.num_events - 1], 1e-6);
    });
  }

  times.pop_back();
  columns.times_us_n = times;
  EXPECT_THROW(add_columns(many, columns), std::invalid_argument);
  columns.times_us_n = columns.subject_ids_n;
  codes[0] = static_cast<int32_t>(columns.codes.size());
  EXPECT_THROW(add_columns(many, columns), std::invalid_argument);
}

}  // namespace
}  // namespace sequela
