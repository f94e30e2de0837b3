#include "sequela/run/fingerprints.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

// SHA-256 of "abc", FIPS 180-4's example.
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

class FingerprintsTest : public testing::Test {
 protected:
  void SetUp() override {
    write_file(file_, "abc");
    pause();
  }
  // One that also remembers files that changed just now.
  FingerprintOptions eager() const { return {.cache_folder = cache_, .unsafe_ns = 0}; }

  // Until the file system's clock has gone on, so that a change gives another time.
  static void pause() { std::this_thread::sleep_for(std::chrono::milliseconds(30)); }

  int64_t bytes_read(const FingerprintOptions& options) const {
    Fingerprints fingerprints(options);
    fingerprints.of_file(file_);
    return fingerprints.num_bytes_read();
  }

  TestFolder folder_;
  const std::string file_ = folder_ / "file";
  const std::string cache_ = folder_ / "deep/cache";
};

TEST_F(FingerprintsTest, AreTheContentAlone) {
  Fingerprints fingerprints({});
  EXPECT_EQ(fingerprints.of_file(file_), kAbc);
  fs::copy_file(file_, folder_ / "copy");
  EXPECT_EQ(fingerprints.of_file(folder_ / "copy"), kAbc);
  const std::string large(3'000'001, 'x');  // more than a buffer
  write_file(folder_ / "large", large);
  EXPECT_EQ(fingerprints.of_file(folder_ / "large"), file_digest(folder_ / "large"));
  EXPECT_EQ(fingerprint_of_text("abc"), kAbc);
  write_file(folder_ / "empty", "");
  EXPECT_EQ(fingerprints.of_file(folder_ / "empty"), fingerprint_of_text(""));
}

TEST_F(FingerprintsTest, RefuseWhatIsNoFile) {
  Fingerprints fingerprints({});
  EXPECT_THROW(fingerprints.of_file(folder_ / "none"), FileError);
  EXPECT_THROW(fingerprints.of_file(folder_.path()), FileError);
  EXPECT_THROW(fingerprints.of_files({{"", folder_ / "none"}}), FileError);
}

TEST_F(FingerprintsTest, ListAFolderInOrder) {
  fs::create_directories(folder_ / "data/b");
  write_file(folder_ / "data/b/1", "abc");
  write_file(folder_ / "data/a", "");
  const std::vector<InputFile> files = list_input_files(folder_ / "data");
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].name, "a");
  EXPECT_EQ(files[1].name, "b/1");
  Fingerprints fingerprints({.num_threads = 2});
  EXPECT_EQ(fingerprints.of_files(files),
            (InputFingerprints{{"a", fingerprint_of_text("")}, {"b/1", kAbc}}));
  ASSERT_EQ(list_input_files(file_).size(), 1u);
  EXPECT_EQ(list_input_files(file_)[0].name, "");
  EXPECT_TRUE(list_input_files(folder_ / "none").empty());
}

TEST_F(FingerprintsTest, ASecondLookReadsNothing) {
  EXPECT_EQ(bytes_read(eager()), 3);
  EXPECT_EQ(bytes_read(eager()), 0);
  EXPECT_EQ(bytes_read({}), 3);  // without a cache
  fs::create_symlink(folder_.path(), folder_ / "link");
  Fingerprints fingerprints(eager());
  EXPECT_EQ(fingerprints.of_file(folder_ / "deep/../file"), kAbc);  // other ways to name it
  EXPECT_EQ(fingerprints.of_file(folder_ / "link/file"), kAbc);
  EXPECT_EQ(fingerprints.num_bytes_read(), 0);
}

TEST_F(FingerprintsTest, ATouchedFileIsReadAgainAndIsTheSame) {
  EXPECT_EQ(bytes_read(eager()), 3);
  fs::last_write_time(file_, fs::last_write_time(file_) + std::chrono::seconds(5));
  Fingerprints fingerprints(eager());
  EXPECT_EQ(fingerprints.of_file(file_), kAbc);
  EXPECT_EQ(fingerprints.num_bytes_read(), 3);
}

TEST_F(FingerprintsTest, AChangeIsSeenThoughSizeAndTimeAreSetBack) {
  EXPECT_EQ(bytes_read(eager()), 3);
  const auto time = fs::last_write_time(file_);
  const int descriptor = open(file_.c_str(), O_WRONLY);  // the same inode
  ASSERT_EQ(write(descriptor, "xyz", 3), 3);
  close(descriptor);
  fs::last_write_time(file_, time);
  Fingerprints fingerprints(eager());
  EXPECT_EQ(fingerprints.of_file(file_), fingerprint_of_text("xyz"));
}

TEST_F(FingerprintsTest, AFileThatChangedJustNowIsNotRemembered) {
  // A change within the same tick of the clock as the last one would not be seen.
  write_file(file_, "abc");
  const FingerprintOptions options{.cache_folder = cache_};
  EXPECT_EQ(bytes_read(options), 3);
  EXPECT_EQ(bytes_read(options), 3);
  // Nor is one whose time lies ahead of the clock.
  fs::last_write_time(file_, fs::last_write_time(file_) + std::chrono::hours(1));
  pause();
  EXPECT_EQ(bytes_read(eager()), 3);
  EXPECT_EQ(bytes_read(eager()), 3);
}

TEST_F(FingerprintsTest, ADamagedCacheIsNone) {
  EXPECT_EQ(bytes_read(eager()), 3);
  const std::string path = cache_ + "/fingerprints";
  const std::string whole = read_file(path);
  ASSERT_EQ(bytes_read(eager()), 0);
  const size_t digest = whole.find(kAbc);
  ASSERT_NE(digest, std::string::npos);
  std::string wrong = whole;
  wrong[digest] = 'a';
  for (const std::string& text :
       {std::string(), std::string("x"), whole.substr(0, whole.size() / 2), wrong, whole + "\n"}) {
    write_file(path, text);
    Fingerprints fingerprints(eager());
    EXPECT_EQ(fingerprints.of_file(file_), kAbc);
    EXPECT_EQ(fingerprints.num_bytes_read(), 3);
  }
  EXPECT_EQ(bytes_read(eager()), 0);  // it was written anew
}

TEST_F(FingerprintsTest, ACacheThatCannotBeWrittenIsNone) {
  write_file(folder_ / "blocked", "a file where the folder should be");
  const FingerprintOptions options{.cache_folder = folder_ / "blocked", .unsafe_ns = 0};
  EXPECT_EQ(bytes_read(options), 3);
  EXPECT_EQ(bytes_read(options), 3);
  fs::create_directories(cache_ + "/fingerprints");  // a folder where the file should be
  EXPECT_EQ(bytes_read(eager()), 3);
  EXPECT_EQ(bytes_read(eager()), 3);
}

TEST_F(FingerprintsTest, KeepWhatOtherRunsWroteMeanwhile) {
  write_file(folder_ / "other", "xyz");
  pause();
  {
    Fingerprints first(eager());
    Fingerprints second(eager());
    first.of_file(file_);
    second.of_file(folder_ / "other");
  }
  Fingerprints third(eager());
  third.of_file(file_);
  third.of_file(folder_ / "other");
  EXPECT_EQ(third.num_bytes_read(), 0);
}

TEST(FingerprintCache, IsBounded) {
  const TestFolder folder;
  constexpr size_t kMore = FingerprintCache::kMaxEntries + 10;
  for (size_t first = 0; first < kMore; first += kMore / 2) {
    FingerprintCache cache(folder.path());
    for (size_t i = first; i < first + kMore / 2; ++i)
      cache.add(str("/none/", i), {.size = 1}, kAbc);
    cache.save();
  }
  const std::string text = read_file(folder / "fingerprints");
  EXPECT_EQ(static_cast<size_t>(std::count(text.begin(), text.end(), '\n')),
            FingerprintCache::kMaxEntries + 2);
  FingerprintCache cache(folder.path());
  EXPECT_TRUE(cache.find(str("/none/", kMore - 1), {.size = 1}).has_value());
  EXPECT_FALSE(cache.find(str("/none/", kMore - 1), {.size = 2}).has_value());
}

TEST(FingerprintCacheFolder, FollowsTheVariables) {
  const auto folder = [](const char* cache, const char* home) {
    return fingerprint_cache_folder([=](const char* name) {
      return std::string(name) == "XDG_CACHE_HOME" ? cache
             : std::string(name) == "HOME"         ? home
                                                   : "";
    });
  };
  EXPECT_EQ(folder("/c", "/h"), "/c/sequela");
  EXPECT_EQ(folder(nullptr, "/h"), "/h/.cache/sequela");
  EXPECT_EQ(folder("relative", "/h"), "/h/.cache/sequela");
  EXPECT_EQ(folder("", nullptr), "");
}

}  // namespace
}  // namespace sequela
