#include "sequela/io/uri.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"
#include "sequela/io/remote.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

TEST(Uri, NamesAreAddedBeforeTheQuery) {
  EXPECT_EQ(join_path("a/b", "c"), "a/b/c");
  EXPECT_EQ(join_path("a/b/", "c"), "a/b/c");
  EXPECT_EQ(join_path("s3://bucket", "data"), "s3://bucket/data");
  EXPECT_EQ(join_path("s3://bucket/x/?region=eu&scheme=http", "data"),
            "s3://bucket/x/data?region=eu&scheme=http");
}

TEST(Uri, PathBelowAFolderHasNoQuery) {
  EXPECT_EQ(path_below("a/b/", "a/b/c/d.parquet"), "c/d.parquet");
  EXPECT_EQ(path_below("a/b", "a/bc"), "a/bc");
  EXPECT_EQ(path_below("s3://bucket/x?region=eu", "s3://bucket/x/data/0.parquet?region=eu"),
            "data/0.parquet");
}

TEST(Uri, SecretsAreNotShown) {
  EXPECT_EQ(shown_path("s3://key:secret@bucket/x"), "s3://bucket/x");
  EXPECT_EQ(shown_path("s3://bucket/x@y"), "s3://bucket/x@y");
  EXPECT_EQ(shown_path("/a/b@c"), "/a/b@c");
}

TEST(Remote, ListsDataFilesAndSeesTheirChange) {
  const TestFolder folder;
  std::filesystem::create_directories(folder / "data/train");
  write_file(folder / "data/train/1.parquet", "one");
  write_file(folder / "data/0.parquet", "zero");
  write_file(folder / "data/_temporary.parquet", "");
  write_file(folder / "data/notes.txt", "");
  const std::string root = "file://" + folder.path() + "/data";
  const std::vector<std::string> files = list_parquet_files(root);
  EXPECT_EQ(files, (std::vector<std::string>{root + "/0.parquet", root + "/train/1.parquet"}));

  const std::string before = remote_fingerprint(files[0]);
  EXPECT_FALSE(before.empty());
  EXPECT_EQ(remote_fingerprint(files[0]), before);
  write_file(folder / "data/0.parquet", "longer");
  EXPECT_NE(remote_fingerprint(files[0]), before);
  EXPECT_THROW(list_parquet_files(root + "/none"), DataError);
  EXPECT_THROW(list_parquet_files("nonsense://a/b"), DataError);
}

TEST(Uri, SecretsAreLeftOutOfWhatIsKept) {
  EXPECT_EQ(without_uri_secrets("s3://key:secret@bucket/a?region=eu"),
            "s3://key@bucket/a?region=eu");
  EXPECT_EQ(without_uri_secrets("s3://key:se:c@ret@bucket/a"), "s3://key@bucket/a");
  EXPECT_EQ(without_uri_secrets("abfs://c@h/a?client_secret=x&tenant_id=t&Session_Token=y"),
            "abfs://c@h/a?tenant_id=t");
  EXPECT_EQ(without_uri_secrets("s3://bucket/a?secret_key=x"), "s3://bucket/a");
  EXPECT_EQ(without_uri_secrets("s3://bucket/a:b@c"), "s3://bucket/a:b@c");
  EXPECT_EQ(without_uri_secrets("/home/a:b@c?password=x"), "/home/a:b@c?password=x");
}

}  // namespace
}  // namespace sequela
