// States of live patients as files: of another embedder, another process, damaged or foreign.
#include "sequela/features/stream_embedder.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "sequela/core/sha256.h"
#include "sequela/io/file.h"
#include "tests/features/live_records.h"

namespace sequela {
namespace {

TEST(StreamEmbedder, MovesPatientsBetweenEmbeddersAndPrecisions) {
  Demo demo;
  const Subject subject = demo.subjects(4)[3];  // of a long record
  const LiveRecord record(demo.store, subject);
  const size_t end = record.events.size();
  Embedder whole = demo.embedder();
  whole.admit(subject.id, subject.birth_us);
  const LiveAnswers expected = send(whole, record, 0, end, 1);
  for (const size_t cut : {size_t{0}, size_t{1}, size_t{4}, end / 3, end - 1}) {
    SCOPED_TRACE(cut);
    Embedder from = demo.embedder(), to = demo.embedder();
    from.admit(subject.id, subject.birth_us);
    send(from, record, 0, cut, 1);
    from.save(subject.id, demo.folder / "patient.state");
    EXPECT_EQ(to.load(demo.folder / "patient.state"), subject.id);
    const LiveAnswers answers = send(to, record, cut, end, 1);
    for (size_t i = cut; i < end; ++i)
      ASSERT_EQ(difference(answers.row(i), expected.row(i), answers.width), 0);
  }
  EmbedderOptions options;
  options.precision = Precision::bf16;
  Embedder rounded = demo.embedder(options);
  rounded.load(demo.folder / "patient.state");
  const LiveAnswers answers = send(rounded, record, end - 1, end, 1);
  EXPECT_LT(difference(answers.row(end - 1), expected.row(end - 1), answers.width), 0.1);
}

TEST(StreamEmbedder, ContinuesInAnotherProcess) {
  Demo demo;
  const Subject subject = demo.subjects(2)[1];
  const LiveRecord record(demo.store, subject);
  const size_t half = record.events.size() / 2;
  Embedder embedder = demo.embedder();
  embedder.admit(subject.id, subject.birth_us);
  send(embedder, record, 0, half, 1);
  // In this style the other process is the test binary started anew; it comes here too, with the
  // first one's file.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  if (std::getenv("SEQUELA_TEST_STATE") == nullptr) {
    embedder.save(subject.id, demo.folder / "patient.state");
    setenv("SEQUELA_TEST_STATE", (demo.folder / "patient.state").c_str(), 1);
  }
  const std::string path = std::getenv("SEQUELA_TEST_STATE");
  const LiveAnswers expected = send(embedder, record, half, record.events.size(), 1);
  EXPECT_EXIT(
      {
        Embedder continued = demo.embedder();
        continued.load(path);
        const LiveAnswers answers = send(continued, record, half, record.events.size(), 1);
        bool is_equal = true;
        for (size_t i = half; i < record.events.size(); ++i)
          is_equal &= difference(answers.row(i), expected.row(i), answers.width) == 0;
        std::_Exit(is_equal ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
  unsetenv("SEQUELA_TEST_STATE");
}

TEST(StreamState, RefusesDamagedAndForeignFiles) {
  Demo demo(20);
  const Subject subject = demo.subjects(4)[3];  // of a long record
  const LiveRecord record(demo.store, subject);
  Embedder embedder = demo.embedder();
  embedder.admit(subject.id, subject.birth_us);
  send(embedder, record, 0, 60, 20);
  const std::string path = demo.folder / "patient.state", broken = demo.folder / "broken.state";
  embedder.save(subject.id, path);
  EXPECT_THROW(embedder.load(path), std::invalid_argument);  // is live already
  embedder.discharge(subject.id);
  const std::string bytes = read_file(path);

  const auto refuses = [&](const std::string& content) {
    write_file(broken, content);
    EXPECT_THROW(embedder.load(broken), FileError);
  };
  for (const size_t size :
       {size_t{0}, size_t{7}, size_t{111}, size_t{143}, bytes.size() / 2, bytes.size() - 1})
    refuses(bytes.substr(0, size));
  refuses(bytes + "x");
  Random random(1);
  for (size_t i = 0; i < 160; ++i) {  // every byte of the header, then any
    std::string changed = bytes;
    changed[i < 112 ? i : random.below(bytes.size())] ^= static_cast<char>(1 + random.below(255));
    refuses(changed);
  }
  EXPECT_THROW(embedder.load(demo.folder / "none.state"), FileError);

  // Headers that lie under a right checksum.
  for (size_t field = 8; field < 112; field += 4) {
    for (const uint32_t value : {0xffffffffu, 0x7fffffffu, 0x80000000u, 77u}) {
      std::string changed = bytes.substr(0, bytes.size() - sizeof(Digest));
      std::memcpy(changed.data() + field, &value, sizeof(value));
      const Digest digest = sha256(changed.data(), changed.size());
      changed.append(reinterpret_cast<const char*>(digest.data()), digest.size());
      write_file(broken, changed);
      try {  // a subject id or a possible time may be anything; nothing else may pass, or crash
        const int64_t loaded = embedder.load(broken);
        LiveAnswers answers(1, demo.config.encoder.hidden_size);
        LiveEvent next = record.events.back();
        next.subject_id = loaded;
        next.time_us = kMaxTimeUs;
        embedder.add({&next, 1}, answers.output());
        embedder.discharge(loaded);
      } catch (const FileError&) {
      }
    }
  }

  Motor other(demo.config, 8, at::kCPU, Precision::fp32);
  Embedder foreign(demo.config, other.parameters(), demo.vocabulary, demo.ontology, {});
  EXPECT_THROW(foreign.load(path), FileError);
  EmbedderOptions options;
  options.keys = KeyPrecision::bf16;
  EXPECT_THROW(demo.embedder(options).load(path), FileError);
  EXPECT_EQ(embedder.load(path), subject.id);
}

}  // namespace
}  // namespace sequela
