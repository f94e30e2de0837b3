#include "sequela/pipeline/encode.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"
#include "sequela/io/safetensors.h"
#include "tests/support/manifest_of.h"
#include "tests/support/npz.h"
#include "tests/support/reference.h"
#include "tests/support/test_folder.h"
#include "tests/support/visit_records.h"

namespace sequela {
namespace {

struct Rows {
  std::vector<float> values;
  std::vector<int64_t> shape;
};

Rows read_rows(const std::string& npz) {
  const NpzFile file(npz);
  const auto array = file.get<float>("embeddings");
  return {{array.values.begin(), array.values.end()}, {array.shape.begin(), array.shape.end()}};
}

void expect_near(const Rows& rows, const TensorView& expected, double tolerance,
                 int64_t num_rows = -1) {
  ASSERT_EQ(rows.shape, expected.shape);
  std::vector<float> wanted(static_cast<size_t>(expected.size()));
  std::memcpy(wanted.data(), expected.bytes.data(), expected.bytes.size());
  const int64_t count = (num_rows < 0 ? rows.shape[0] : num_rows) * rows.shape[1];
  for (int64_t i = 0; i < count; ++i)
    ASSERT_NEAR(rows.values[i], wanted[i], tolerance) << "value " << i;
}

// A JSON lines file of the visits of a fixture tensor (ids; 0 = padding).
std::string write_visits(const std::string& path, const std::string& tensor) {
  const SafetensorsFile inputs(reference_path("bert/a_bert/inputs.safetensors"));
  const TensorView& view = inputs.get(tensor);
  const auto* ids = reinterpret_cast<const int64_t*>(view.bytes.data());
  std::ofstream out(path);
  for (int64_t row = 0; row < view.shape[0]; ++row) {
    std::string codes;
    for (int64_t i = 0; i < view.shape[1]; ++i) {
      const int64_t id = ids[row * view.shape[1] + i];
      if (id != 0) codes += str(codes.empty() ? "" : ",", id);
    }
    out << R"({"subject_id":)" << row << R"(,"visits":[[)" << codes << "]]}\n";
  }
  return path;
}

// The last row has holes, which a list of codes cannot have.
TEST(Encode, VisitsOfIdsEqualTransformers) {
  const TestFolder folder;
  EncodeOptions options;
  options.model = reference_path("bert/a_bert/model_st");
  options.input = write_visits(folder / "visits.jsonl", "visits");
  options.out = folder / "out";
  const EncodeReport report = encode(options);
  EXPECT_EQ(report.width, read_rows(options.out + "/embeddings.npz").shape[1]);
  const Rows rows = read_rows(options.out + "/embeddings.npz");
  const SafetensorsFile expected(reference_path("bert/a_bert/expected.safetensors"));
  expect_near(rows, expected.get("good.encode_visit.mean.nomask"), 2e-5, 4);
  EXPECT_EQ(report.num_empty, 1);
  EXPECT_EQ(artifact_of(options.out, "encode").at("files").size(), 3u);
  EXPECT_TRUE(encode(options).is_up_to_date);
}

TEST(Encode, TooLongAVisitSaysWhatToDo) {
  const TestFolder folder;
  EncodeOptions options;
  options.model = reference_path("bert/a_bert/bare");
  options.input = folder / "long.jsonl";
  options.out = folder / "out";
  std::ofstream out(options.input);
  out << R"({"subject_id":7,"visits":[[)";
  for (int i = 0; i < 200; ++i) out << (i == 0 ? "5" : ",5");
  out << "]]}\n";
  out.close();
  try {
    encode(options);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("200 codes"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("--max-codes 128"), std::string::npos);
  }
  options.visits.max_codes = 128;
  EXPECT_EQ(encode(options).num_tokens, 128);
}

TEST(Encode, ExtractsTheTableOfCodes) {
  const TestFolder folder;
  EncodeOptions options;
  options.model = reference_path("bert/a_bert/mlm_bin");
  options.extract_code_embeddings = true;
  options.out = folder / "out";
  encode(options);
  const Rows rows = read_rows(options.out + "/code_embeddings.npz");
  const SafetensorsFile expected(reference_path("bert/a_bert/expected.safetensors"));
  const TensorView& table = expected.get("model.get_code_embeddings");
  ASSERT_EQ(rows.shape, table.shape);
  EXPECT_EQ(std::memcmp(rows.values.data(), table.bytes.data(), table.bytes.size()), 0);
}

TEST(Encode, TextsEqualTransformers) {
  for (const char* model : {"uncased", "cased"}) {
    const TestFolder folder;
    EncodeOptions options;
    options.model = reference_path(std::string("bert/c_clinicalbert/") + model);
    options.input = folder / "notes.jsonl";
    options.out = folder / "out";
    std::ofstream notes(options.input);
    const std::string strings = reference_path("bert/c_clinicalbert/strings.json");
    for (const Json& text : parse_json(read_file(strings), strings))
      notes << Json{{"text", text}}.dump() << "\n";
    notes.close();
    encode(options);
    const SafetensorsFile file(
        reference_path(str("bert/c_clinicalbert/expected_", model, ".safetensors")));
    expect_near(read_rows(options.out + "/embeddings.npz"), file.get("mean"), 2e-5);
  }
}

TEST(Encode, RecordsBecomeVisitsWithCoverage) {
  const TestFolder folder;
  EncodeOptions options;
  options.model = reference_path("bert/a_bert/model_st");
  options.meds = folder / "meds";
  write_visit_records(options.meds);
  options.visits.rule = VisitRule::encounter;
  options.visits.max_codes = 128;
  options.out = folder / "out";
  const EncodeReport report = encode(options);
  EXPECT_GT(report.num_rows, 100);
  ASSERT_TRUE(report.mapping);
  const ParquetReader reader(options.out + "/embeddings.parquet");
  EXPECT_EQ(reader.num_rows(), report.num_rows);
  EXPECT_TRUE(reader.find_column("subject_id"));
  EXPECT_TRUE(reader.find_column("time"));
}

}  // namespace
}  // namespace sequela
