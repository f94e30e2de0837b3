#include "sequela/io/hub_cache.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

const std::string kCommit = "0123456789abcdef0123456789abcdef01234567";
const std::string kOther = "fedcba9876543210fedcba9876543210fedcba98";

TEST(ModelName, HasOneSlashAndMaybeARevision) {
  const auto plain = parse_model_name("org/name");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->repository, "org/name");
  EXPECT_EQ(plain->revision, "main");
  EXPECT_EQ(plain->text(), "org/name");
  const auto with_revision = parse_model_name("some-org/Bio_BERT.v1@refs/pr/1");
  ASSERT_TRUE(with_revision);
  EXPECT_EQ(with_revision->repository, "some-org/Bio_BERT.v1");
  EXPECT_EQ(with_revision->revision, "refs/pr/1");
  EXPECT_EQ(with_revision->text(), "some-org/Bio_BERT.v1@refs/pr/1");
  for (const char* path :
       {"", "name", "/a/b", "./a", "../a", "~/a", "a/b/c", "a/", "/a", "a/..", "a/b@", "a/b@../c",
        "a/b@/c", "a/b@c/", "a/b@c//d", "a/b@c d", "a b/c", "s3://a/b", ".hidden/a"}) {
    EXPECT_FALSE(parse_model_name(path)) << path;
  }
}

HubSettings settings_of(std::map<std::string, std::string> variables) {
  return read_hub_settings([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(HubSettings, AreThoseOfHuggingfaceHub) {
  std::map<std::string, std::string> variables = {{"HOME", "/home/me"}};
  const auto cache = [&] { return settings_of(variables).cache; };
  EXPECT_EQ(cache(), "/home/me/.cache/huggingface/hub");
  variables["XDG_CACHE_HOME"] = "/xdg";
  EXPECT_EQ(cache(), "/xdg/huggingface/hub");
  variables["HF_HOME"] = "~/hf";
  EXPECT_EQ(cache(), "/home/me/hf/hub");
  variables["HUGGINGFACE_HUB_CACHE"] = "/old";
  EXPECT_EQ(cache(), "/old");
  variables["HF_HUB_CACHE"] = "/new";
  EXPECT_EQ(cache(), "/new");
  EXPECT_FALSE(settings_of(variables).is_offline);
  for (const char* name : {"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"}) {
    EXPECT_TRUE(settings_of({{name, "1"}}).is_offline);
    EXPECT_TRUE(settings_of({{name, "true"}}).is_offline);
    EXPECT_FALSE(settings_of({{name, "0"}}).is_offline);
  }
}

class HubCache : public testing::Test {
 protected:
  // A file of a snapshot as huggingface_hub lays it: a link to a blob.
  void add(const std::string& commit, const std::string& name, const std::string& text = "x") {
    const fs::path model = fs::path(folder_.path()) / "models--org--name";
    fs::create_directories(model / "snapshots" / commit);
    fs::create_directories(model / "blobs");
    write_file((model / "blobs" / (commit + name)).string(), text);
    fs::create_symlink("../../blobs/" + commit + name, model / "snapshots" / commit / name);
  }
  void set_ref(const std::string& revision, const std::string& commit) {
    const fs::path path = fs::path(folder_.path()) / "models--org--name" / "refs" / revision;
    fs::create_directories(path.parent_path());
    write_file(path.string(), commit);
  }
  void add_model(const std::string& commit) {
    for (const char* name : {"config.json", "model.safetensors", "vocab.txt"}) add(commit, name);
  }
  std::string snapshot(const std::string& commit) const {
    return folder_.path() + "/models--org--name/snapshots/" + commit;
  }
  FoundModel find(const std::string& text) const { return find_model(text, {folder_.path()}); }

  TestFolder folder_;
};

TEST_F(HubCache, RevisionsAreBranchesTagsAndCommits) {
  add_model(kCommit);
  add_model(kOther);
  set_ref("main", kCommit);
  set_ref("v1", kOther);
  set_ref("refs/pr/1", kOther + "\n");
  EXPECT_EQ(find("org/name").folder, snapshot(kCommit));
  EXPECT_EQ(find("org/name").commit, kCommit);
  EXPECT_EQ(find("org/name").pinned_name("org/name"), "org/name@" + kCommit);
  EXPECT_NE(find("org/name").note().find(kCommit), std::string::npos);
  for (const std::string& revision : {std::string("v1"), std::string("refs/pr/1"), kOther}) {
    EXPECT_EQ(find("org/name@" + revision).folder, snapshot(kOther)) << revision;
    EXPECT_FALSE(find("org/name@" + revision).wants_fetch);
  }
  EXPECT_TRUE(find("org/name@v2").folder.empty());
  EXPECT_TRUE(find("org/name@v2").wants_fetch);
  EXPECT_TRUE(find("org/other").wants_fetch);
}

TEST_F(HubCache, AFolderOfThatNameWins) {
  add_model(kCommit);
  set_ref("main", kCommit);
  const fs::path before = fs::current_path();
  const TestFolder work;
  fs::current_path(work.path());
  fs::create_directories("org/name");
  const FoundModel found = find("org/name");
  const FoundModel with_revision = find("org/name@" + kCommit);
  fs::current_path(before);
  EXPECT_EQ(found.folder, "org/name");
  EXPECT_EQ(found.commit, "");
  EXPECT_EQ(found.pinned_name("org/name"), "org/name");
  EXPECT_EQ(with_revision.folder, "org/name");
}

TEST_F(HubCache, PathsAreLeftAsTheyAre) {
  for (const std::string& path : {std::string("/nowhere/model"), std::string("model"),
                                  folder_.path(), std::string("s3://bucket/model")}) {
    const FoundModel found = find(path);
    EXPECT_EQ(found.folder, path);
    EXPECT_EQ(found.note(), "");
    EXPECT_FALSE(found.wants_fetch);
  }
}

TEST_F(HubCache, ASnapshotWithoutAllItsWeightsDoesNotCount) {
  set_ref("main", kCommit);
  EXPECT_TRUE(find("org/name").folder.empty());
  add(kCommit, "config.json");
  add(kCommit, "vocab.txt");
  EXPECT_TRUE(find("org/name").folder.empty());
  add(kCommit, "pytorch_model.bin.index.json",
      R"({"weight_map": {"a": "pytorch_model-1.bin", "b": "pytorch_model-2.bin"}})");
  add(kCommit, "pytorch_model-1.bin");
  EXPECT_TRUE(find("org/name").folder.empty());
  add(kCommit, "pytorch_model-2.bin");
  EXPECT_EQ(find("org/name").folder, snapshot(kCommit));
  fs::remove(fs::path(folder_.path()) / "models--org--name/blobs" /
             (kCommit + "pytorch_model-2.bin"));
  EXPECT_TRUE(find("org/name").folder.empty()) << "a link that leads nowhere";
}

TEST_F(HubCache, TensorFlowCheckpointsNeedAllTheirData) {
  set_ref("main", kCommit);
  for (const char* name :
       {"config.json", "vocab.txt", "bert.ckpt.index", "bert.ckpt.data-00000-of-00002"}) {
    add(kCommit, name);
  }
  EXPECT_TRUE(find("org/name").folder.empty());
  add(kCommit, "bert.ckpt.data-00001-of-00002");
  EXPECT_EQ(find("org/name").folder, snapshot(kCommit));
}

TEST_F(HubCache, OneWithoutAVocabularyCountsButWantsIt) {
  set_ref("main", kCommit);
  add(kCommit, "config.json");
  add(kCommit, "model.safetensors");
  EXPECT_EQ(find("org/name").folder, snapshot(kCommit));
  EXPECT_TRUE(find("org/name").wants_fetch);
  EXPECT_FALSE(find_model("org/name", {folder_.path(), true}).wants_fetch);
  const fs::path absent = fs::path(folder_.path()) / "models--org--name/.no_exist" / kCommit;
  fs::create_directories(absent);
  for (const char* name : {"tokenizer.json", "vocab.txt", "vocab.json", "dictionary.msgpack"}) {
    EXPECT_TRUE(find("org/name").wants_fetch);
    write_file((absent / name).string(), "");
  }
  EXPECT_FALSE(find("org/name").wants_fetch) << "the hub has none";
  fs::remove_all(absent);
  EXPECT_TRUE(find("org/name").wants_fetch);
  add(kCommit, "mb.types");
  EXPECT_FALSE(find("org/name").wants_fetch);
}

TEST_F(HubCache, OfflineSaysWhereItLooked) {
  try {
    find_model("org/name@v1", {folder_.path(), true});
    FAIL();
  } catch (const FileError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("org/name@v1"), std::string::npos) << message;
    EXPECT_NE(message.find(folder_.path()), std::string::npos) << message;
    EXPECT_NE(message.find("HF_HUB_OFFLINE"), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

TEST_F(HubCache, ARefThatHoldsNoCommitIsNone) {
  add_model(kCommit);
  set_ref("main", "../../" + kCommit);
  EXPECT_TRUE(find("org/name").folder.empty());
}

}  // namespace
}  // namespace sequela
