// CLMBR's labels and windows, against femr's batches and by hand.
#include "sequela/objective/clmbr/next_code.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>

#include "sequela/batch/bucket_writer.h"
#include "sequela/batch/half.h"
#include "sequela/objective/clmbr/clmbr_task.h"
#include "tests/batch/fixture.h"
#include "tests/support/npz.h"

namespace sequela {
namespace {

constexpr int64_t kVocabSize = 64;  // of the reference's task

template <class Found, class Expected>
void expect_same(const std::vector<Found>& found, const std::vector<Expected>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], expected[i]) << i;
}

// The tutorial's records under a dictionary, codes without ancestors.
struct NextCodeRecords {
  EventStore store;
  Ontology ontology;
  Vocabulary vocabulary;
  EventTokenizer tokenizer;
  std::vector<Side> sides;
  ObjectiveRecords records{store, ontology, vocabulary, tokenizer, sides};

  explicit NextCodeRecords(const std::string& dictionary)
      : store(MotorFixture::ingest_and_open("next_code", tutorial_path("meds"))),
        ontology(without_edges(store.codes())),
        vocabulary(Vocabulary::read(dictionary)),
        tokenizer(store, ontology, vocabulary),
        sides(store.num_subjects(), Side::train) {}

  static Ontology without_edges(const std::vector<std::string>& codes) {
    std::vector<Ontology::Node> nodes;
    for (const std::string& code : codes) nodes.push_back({code});
    return Ontology::build(nodes);
  }
};

// One of femr's batches.
struct FemrBatch {
  NpzFile file;
  std::string subjects, ids, tokens;

  std::vector<int64_t> ints(const std::string& name) const {
    return file.get<int64_t>(name).values;
  }
  std::vector<int64_t> transformer(const std::string& name) const {
    return ints("transformer." + name);
  }
};

// The batch as BucketWriter makes it of the windows that the rule plans for femr's subjects.
void expect_femrs(const NextCodeRecords& own, const FemrBatch& expected) {
  const NextCodeRule rule(NextCodes(own.records, kVocabSize));
  const BatchSource source{own.store, own.tokenizer, own.vocabulary.age_stats, rule, own.sides};
  const BatchOptions options{.tokens_per_batch = 128,
                             .first_timestamp = FirstTimestamp::last_event};
  BucketWriter writer(source, Side::train, options);
  BatchReport report;
  writer.stage({0, own.store.num_subjects(), 0}, report);

  std::vector<int64_t> numbers;
  const auto lengths = expected.transformer(expected.subjects + "_lengths");
  const auto offsets = expected.ints("offsets");
  const auto ids = expected.ints(expected.ids);
  int64_t token = 0;
  for (size_t s = 0; s < lengths.size(); ++s) {
    for (size_t w = 0; w < writer.windows().size(); ++w) {
      const Window& window = writer.windows()[w];
      if (own.store.subject_id(window.subject) != ids[token]) continue;
      numbers.push_back(static_cast<int64_t>(w));
      EXPECT_EQ(window.first_token, offsets[s]);
      EXPECT_EQ(window.length, lengths[s]);
    }
    token += lengths[s];
  }
  ASSERT_EQ(numbers.size(), lengths.size());
  writer.build(numbers);
  const BatchArrays& batch = writer.batch();
  expect_same(batch.token_ids, expected.transformer(expected.tokens));
  expect_same(batch.ages_days, expected.file.get<float>("transformer.ages").values);
  expect_same(batch.label_indices, expected.transformer("label_indices"));
  ASSERT_EQ(batch.targets.size(), 1u);
  EXPECT_EQ(batch.targets[0].name, "labels");
  expect_same(batch.targets[0].values, expected.ints("task.labels"));
}

TEST(NextCode, BatchesEqualFemrs) {
  const NextCodeRecords own(reference_path("motor/tutorial/clmbr/dictionary.msgpack"));
  for (int b = 0; b < 3; ++b) {
    const std::string path = reference_path(str("motor/tutorial/clmbr/batch_", b, ".npz"));
    expect_femrs(own, {NpzFile(path), "subject", "subject_ids", "hierarchical_tokens"});
  }
}

TEST(NextCode, BatchesOfFlatDictionariesEqualFemr023s) {
  const NextCodeRecords own(reference_path("motor/tutorial/clmbr_model/dictionary.msgpack"));
  for (int b = 0; b < 2; ++b) {
    const std::string path = reference_path(str("motor/tutorial/clmbr_flat/batch_", b, ".npz"));
    expect_femrs(own, {NpzFile(path), "patient", "patient_ids", "tokens"});
  }
}

// Codes with ancestors and numbers, of one made-up subject.
class NextCodeOfBags : public testing::Test {
 protected:
  // Entries of the dictionary, in order; the ontology: child -> parents.
  NextCodes codes(const std::vector<std::string>& entries, std::vector<Ontology::Node> nodes,
                  int64_t vocab_size) {
    vocabulary_ = {};
    for (const std::string& entry : entries) {
      VocabularyEntry& added = vocabulary_.entries.emplace_back();
      const bool is_bin = entry.empty();
      added.type = is_bin ? VocabularyEntry::Type::numeric : VocabularyEntry::Type::code;
      added.code_string = entry;
      added.property = is_bin ? "numeric_value" : "";
      added.val_start = -INFINITY;
      added.val_end = INFINITY;
    }
    for (const std::string& code : fixture_->store.codes()) {
      if (std::ranges::none_of(nodes, [&](const auto& node) { return node.code == code; }))
        nodes.push_back({code});
    }
    ontology_ = Ontology::build(std::move(nodes));
    tokenizer_.emplace(fixture_->store, ontology_, vocabulary_);
    return {{fixture_->store, ontology_, vocabulary_, *tokenizer_, fixture_->sides}, vocab_size};
  }

  const std::string& frequent_code() const {
    const std::vector<int64_t>& counts = fixture_->store.counts();
    return fixture_->store.codes()[std::ranges::max_element(counts) - counts.begin()];
  }

  // Calls visit(event, code) for each token but the birth bag of the first subjects.
  void each_token(const NextCodes& codes, const std::function<void(std::string, int32_t)>& visit) {
    SequenceBuilder sequences(fixture_->store, *tokenizer_);
    Sequence sequence;
    for (int64_t s = 0; s < 10; ++s) {
      const Subject subject = fixture_->store.subject(s);
      if (!sequences.build(subject, sequence)) continue;
      std::vector<int32_t> labels;
      codes.label_tokens(subject, sequence, labels);
      ASSERT_EQ(static_cast<int64_t>(labels.size()), sequence.num_tokens());
      EXPECT_EQ(labels[0], -1);
      EXPECT_EQ(labels.back(), -1);
      for (int64_t t = 1; t < sequence.num_tokens(); ++t) {
        const int32_t code = codes.code_of(subject, sequence, t);
        if (t > 1) {
          EXPECT_EQ(labels[t - 1], code);
        }
        visit(fixture_->store.codes()[subject.code(sequence.events[t])], code);
      }
    }
  }

  std::unique_ptr<MotorFixture> fixture_ = MotorFixture::open("g60");
  Vocabulary vocabulary_;
  Ontology ontology_;
  std::optional<EventTokenizer> tokenizer_;
};

TEST_F(NextCodeOfBags, AnEventsOwnEntryGoesBeforeItsAncestors) {
  const std::string& code = frequent_code();
  const NextCodes found = codes({"ROOT", code}, {{code, "", {"ROOT"}}, {"ROOT"}}, 2);
  int num_seen = 0;
  each_token(found, [&](const std::string& event, int32_t entry) {
    EXPECT_EQ(event, code);
    EXPECT_EQ(entry, 1);
    ++num_seen;
  });
  EXPECT_GT(num_seen, 0);
}

TEST_F(NextCodeOfBags, TheNearestAncestorStandsForACodeWithoutAnEntry) {
  const std::string& code = frequent_code();
  const std::vector<Ontology::Node> nodes = {{code, "", {"MIDDLE"}},
                                             {"MIDDLE", "", {"NEAR A", "NEAR B"}},
                                             {"NEAR A", "", {"ROOT"}},
                                             {"NEAR B", "", {"ROOT"}},
                                             {"ROOT"}};
  int num_seen = 0;
  each_token(codes({"ROOT", "NEAR B", "NEAR A"}, nodes, 3), [&](const std::string&, int32_t entry) {
    EXPECT_EQ(entry, 1);  // of two as near, the smaller id
    ++num_seen;
  });
  EXPECT_GT(num_seen, 0);
  // What lies behind the first entries is no label, and no other entry takes its place.
  each_token(codes({"ROOT", "NEAR B", "NEAR A"}, nodes, 1),
             [&](const std::string&, int32_t entry) { EXPECT_EQ(entry, -1); });
}

TEST_F(NextCodeOfBags, ANumberIsTheCodeOfAnEventThatHasNoOther) {
  int num_seen = 0;
  each_token(codes({""}, {}, 1), [&](const std::string&, int32_t entry) {
    EXPECT_EQ(entry, 0);
    ++num_seen;
  });
  EXPECT_GT(num_seen, 0);
}

TEST_F(NextCodeOfBags, TheTaskCountsTheLabelsOfTheTrainSide) {
  const std::string& code = frequent_code();
  codes({code, ""}, {}, 2);
  const ObjectiveRecords records{fixture_->store, ontology_, vocabulary_, *tokenizer_,
                                 fixture_->sides};
  const ClmbrTask task = fit_clmbr_task(records, 100, 1);
  EXPECT_EQ(task.vocab_size, 2);
  EXPECT_GT(task.counts[1], 0);
  EXPECT_EQ(fit_clmbr_task(records, 100, 4).counts, task.counts);
  const std::vector<Side> none(fixture_->sides.size(), Side::validation);
  EXPECT_THROW(fit_clmbr_task({fixture_->store, ontology_, vocabulary_, *tokenizer_, none}, 100, 1),
               DataError);
}

TEST_F(NextCodeOfBags, BatchesComeBackFromBothFormsAsTheyWere) {
  const NextCodeRule rule(NextCodes({fixture_->store, fixture_->ontology, fixture_->vocabulary,
                                     fixture_->tokenizer, fixture_->sides},
                                    400));
  const BatchSource source{fixture_->store, fixture_->tokenizer, fixture_->vocabulary.age_stats,
                           rule, fixture_->sides};
  std::vector<ArraysBatch> batches[2];
  for (const BatchForm form : {BatchForm::compact, BatchForm::femr}) {
    const std::string folder = test_folder("next_code") + "/train";
    const BatchReport report =
        write_batches(source, Side::train, {.tokens_per_batch = 256, .form = form}, folder, "key");
    const BatchFolder read = BatchFolder::open(folder, {.vocab_size = 512});
    EXPECT_EQ(read.num_batches(), report.num_batches);
    EXPECT_THROW(read.read(0), FileError);  // they are not MOTOR's
    for (int64_t i = 0; i < read.num_batches(); ++i)
      batches[form == BatchForm::femr].push_back(read.read_arrays(i));
  }
  ASSERT_EQ(batches[0].size(), batches[1].size());
  for (size_t i = 0; i < batches[0].size(); ++i) {
    const ArraysBatch &compact = batches[0][i], &femr = batches[1][i];
    ASSERT_EQ(compact.targets.size(), 1u);
    EXPECT_TRUE(compact.targets.at("labels").equal(femr.targets.at("labels")));
    EXPECT_TRUE(compact.inputs.label_indices_L.equal(femr.inputs.label_indices_L));
    EXPECT_TRUE(compact.inputs.token_ids_N.equal(femr.inputs.token_ids_N));
    EXPECT_GT(compact.targets.at("labels").numel(), compact.inputs.ages_days_T.numel() / 4);
  }
}

TEST(ClmbrTask, IsReadAsItWasWritten) {
  const std::string path = test_folder("clmbr_task") + "/clmbr_task.json";
  ClmbrTask task{3, {4, 0, 5}};
  task.write(path);
  EXPECT_EQ(ClmbrTask::read(path).counts, task.counts);
  EXPECT_EQ(ClmbrTask::read(path).num_labels(), 9);
  write_file(path, R"({"clmbr_vocab_size": 7})");
  EXPECT_EQ(ClmbrTask::read(path).vocab_size, 7);
  EXPECT_TRUE(ClmbrTask::read(path).counts.empty());
  for (const char* text :
       {"{}", "[]", "3", R"({"clmbr_vocab_size": 0})", R"({"clmbr_vocab_size": "8"})",
        R"({"clmbr_vocab_size": 2, "counts": [1]})",
        R"({"clmbr_vocab_size": 2, "counts": [1, -1]})",
        R"({"clmbr_vocab_size": 1, "counts": [0.5]})"}) {
    write_file(path, text);
    EXPECT_THROW(ClmbrTask::read(path), FileError) << text;
  }
}

}  // namespace
}  // namespace sequela
