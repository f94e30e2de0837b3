// Cohorts from a real PostgreSQL server, and the whole of compute_features with one.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/json.h"
#include "sequela/features/cohort.h"
#include "sequela/io/file.h"
#include "tests/pipeline/small_run.h"
#include "tests/support/postgres_server.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

const char* const kTables = R"(
  CREATE SCHEMA mimiciv_ext;
  CREATE TABLE mimiciv_ext.dataset_splits (
    subject_id bigint, dataset_split text, sepsis_label int, is_septic boolean,
    risk double precision, coarse_risk real, stage text);
  INSERT INTO mimiciv_ext.dataset_splits
    SELECT i, CASE WHEN i % 5 = 3 THEN 'validate' WHEN i % 5 = 4 THEN 'test' ELSE 'train' END,
           i % 2, i % 2 = 1, i / 4.0, i / 4.0, 'stage ' || i % 3
    FROM generate_series(0, 249) AS i;
  CREATE TABLE mimiciv_ext.wrong (subject_id bigint, dataset_split text, label int);
  CREATE TABLE mimiciv_ext.empty (subject_id bigint, dataset_split text, label int);)";

class CohortPostgres : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::string programs = PostgresServer::find_programs();
    if (programs.empty()) return;
    server_ = std::make_unique<PostgresServer>(programs);
    server_->execute(kTables);
  }
  static void TearDownTestSuite() { server_.reset(); }
  void SetUp() override {
    if (!server_) GTEST_SKIP() << "no PostgreSQL server is installed: install package postgresql";
  }

  static std::string select(const std::string& columns) {
    return "SELECT subject_id, dataset_split, " + columns +
           " FROM mimiciv_ext.dataset_splits ORDER BY subject_id";
  }
  static Cohort read(const std::string& query, const std::string& label_column = "") {
    return read_cohort_database(server_->uri(), query, label_column);
  }

  // The error that a call ends with, which must be an E and must not show the password.
  template <class E, class Call>
  static std::string error_of(Call call) {
    try {
      call();
    } catch (const E& error) {
      const std::string text = error.what();
      EXPECT_EQ(text.find(PostgresServer::kPassword), std::string::npos) << text;
      EXPECT_EQ(text.find(PostgresServer::kEncodedPassword), std::string::npos) << text;
      EXPECT_EQ(text.find('\n'), std::string::npos) << text;
      return text;
    } catch (const std::exception& error) {
      ADD_FAILURE() << "another error: " << error.what();
      return "";
    }
    ADD_FAILURE() << "no error";
    return "";
  }
  template <class E>
  static std::string error_of_rows(const std::string& rows) {
    server_->execute("TRUNCATE mimiciv_ext.wrong; INSERT INTO mimiciv_ext.wrong VALUES " + rows);
    return error_of<E>([] { read("SELECT * FROM mimiciv_ext.wrong"); });
  }

  inline static std::unique_ptr<PostgresServer> server_;
};

TEST_F(CohortPostgres, ReadsMembersInTheOrderOfTheQuery) {
  const Cohort cohort = read(select("sepsis_label"));
  ASSERT_EQ(cohort.order.size(), 250u);
  for (int64_t i = 0; i < 250; ++i) {
    EXPECT_EQ(cohort.order[i], i);
    const CohortMember& member = cohort.members.at(i);
    EXPECT_EQ(member.label, i % 2 == 0 ? "0" : "1");
    EXPECT_EQ(member.split, i % 5 == 3   ? CohortSplit::valid
                            : i % 5 == 4 ? CohortSplit::test
                                         : CohortSplit::train);
  }
  const Cohort by_socket =
      read_cohort_database(server_->socket_uri(), select("sepsis_label"), "sepsis_label");
  EXPECT_EQ(by_socket.order, cohort.order);
}

TEST_F(CohortPostgres, PrintsLabelsAsPythonDoes) {
  const auto label = [](const char* column, int64_t subject) {
    return read(select("sepsis_label, is_septic, risk, coarse_risk, stage"), column)
        .members.at(subject)
        .label;
  };
  EXPECT_EQ(label("is_septic", 1), "True");
  EXPECT_EQ(label("is_septic", 2), "False");
  EXPECT_EQ(label("risk", 3), "0.75");
  EXPECT_EQ(label("risk", 4), "1.0");
  EXPECT_EQ(label("coarse_risk", 8), "2.0");
  EXPECT_EQ(label("stage", 4), "stage 1");
}

TEST_F(CohortPostgres, SaysThatItCannotConnect) {
  const std::string wrong_password = error_of<FileError>(
      [] { read_cohort_database(server_->uri("hunter2"), select("sepsis_label"), ""); });
  EXPECT_NE(wrong_password.find("password authentication failed"), std::string::npos);
  EXPECT_EQ(wrong_password.find("hunter2"), std::string::npos) << wrong_password;
  const std::string no_server = error_of<FileError>([] {
    read_cohort_database("postgresql://me:hunter2@127.0.0.1:1/db?connect_timeout=2", "SELECT 1",
                         "");
  });
  EXPECT_EQ(no_server.find("hunter2"), std::string::npos) << no_server;
}

TEST_F(CohortPostgres, AStopEndsALongQueryOnBothSides) {
  const auto start = std::chrono::steady_clock::now();
  std::jthread stopper([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    request_stop(SIGTERM);
  });
  EXPECT_THROW(read("SELECT 1 AS subject_id, 'train' AS dataset_split, pg_sleep(120)"),
               Interrupted);
  stopper.join();
  reset_stop();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
  // The server is done with it, too; it may need a moment.
  server_->execute(R"(DO $$ BEGIN
    FOR try IN 1..100 LOOP
      PERFORM pg_stat_clear_snapshot();
      IF NOT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' AND
                     pid <> pg_backend_pid() AND query LIKE '%pg_sleep(120)%') THEN RETURN;
      END IF;
      PERFORM pg_sleep(0.1);
    END LOOP;
    RAISE EXCEPTION 'the query is still running';
  END $$)");
}

TEST_F(CohortPostgres, AStopEndsAConnectionThatDoesNotCome) {
  // It takes connections, but never answers.
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 4), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string uri = "postgresql://me@127.0.0.1:" + std::to_string(ntohs(address.sin_port)) +
                          "/db?sslmode=disable";
  const std::string late = error_of<FileError>(
      [&] { read_cohort_database(uri + "&connect_timeout=1", "SELECT 1", ""); });
  EXPECT_NE(late.find("connect_timeout"), std::string::npos) << late;
  request_stop(SIGTERM);
  EXPECT_THROW(read_cohort_database(uri, "SELECT 1", ""), Interrupted);
  reset_stop();
  close(listener);
}

TEST_F(CohortPostgres, SaysWhatIsWrongWithTheQuery) {
  const auto failed = [](const std::string& query) {
    const std::string text = error_of<FileError>([&] { read(query); });
    EXPECT_NE(text.find("--cohort-query"), std::string::npos) << text;
    return text;
  };
  EXPECT_NE(failed("SELECT * FROM no_such_table").find("no_such_table"), std::string::npos);
  EXPECT_NE(failed("SELECT no_such_column FROM mimiciv_ext.dataset_splits").find("no_such_column"),
            std::string::npos);
  failed("SELEC");
  // It breaks after rows have come.
  failed(
      "SELECT subject_id, dataset_split, 1 / (subject_id - 200) FROM mimiciv_ext.dataset_splits");
  error_of<FileError>([] { read(""); });
  error_of<FileError>([] { read("CREATE TEMPORARY TABLE t (i int)"); });
}

TEST_F(CohortPostgres, SaysWhatIsWrongWithTheColumns) {
  const std::string from = " FROM mimiciv_ext.dataset_splits";
  const std::string no_split =
      error_of<DataError>([&] { read("SELECT subject_id, sepsis_label" + from); });
  EXPECT_NE(no_split.find("dataset_split"), std::string::npos) << no_split;
  error_of<DataError>([&] { read("SELECT dataset_split, sepsis_label" + from); });
  error_of<DataError>([&] { read("SELECT subject_id, *" + from); });  // subject_id twice
  error_of<DataError>([&] { read(select("sepsis_label"), "no_such_label"); });
  error_of<ConfigError>([&] { read(select("sepsis_label, is_septic")); });
  error_of<DataError>([&] { read("SELECT * FROM mimiciv_ext.empty"); });
}

TEST_F(CohortPostgres, ReadsSplitsAlone) {
  const Cohort cohort =
      read("SELECT subject_id, dataset_split FROM mimiciv_ext.dataset_splits WHERE subject_id = 3");
  EXPECT_FALSE(cohort.has_labels);
  EXPECT_EQ(cohort.members.at(3).split, CohortSplit::valid);
}

TEST_F(CohortPostgres, SaysWhatIsWrongWithTheRows) {
  const std::string bad_split = error_of_rows<DataError>("(1, 'train', 0), (2, 'dev', 0)");
  EXPECT_NE(bad_split.find("dataset_split"), std::string::npos) << bad_split;
  EXPECT_NE(bad_split.find("row 1"), std::string::npos) << bad_split;
  error_of_rows<DataError>("(1, NULL, 0)");
  error_of_rows<DataError>("(NULL, 'train', 0)");
  error_of_rows<DataError>("(1, 'train', 0), (1, 'test', 0)");
  error_of_rows<DataError>("(1, 'train', 0), (1, 'train', 1)");
  const std::string no_label = error_of_rows<DataError>("(1, 'train', 0), (2, 'train', NULL)");
  EXPECT_NE(no_label.find("'label'"), std::string::npos) << no_label;
  error_of<DataError>(
      [] { read("SELECT 'x' AS subject_id, 'train' AS dataset_split, 1 AS label"); });
}

// What the three .pt files hold, as Python's torch sees them.
Json open_with_torch(const std::string& folder) {
  const std::string script = folder + "/open.py";
  write_file(script, R"(
import json, sys, torch
result = {}
for split in ("train", "valid", "test"):
    data = torch.load(f"{sys.argv[1]}/{split}_embeddings.pt", weights_only=True)
    assert sorted(data) == ["embeddings", "labels", "sample_ids"], sorted(data)
    assert data["embeddings"].dtype == torch.float32 and data["embeddings"].isfinite().all()
    result[split] = {"shape": list(data["embeddings"].shape), "labels": data["labels"],
                     "sample_ids": data["sample_ids"],
                     "first": data["embeddings"][:, 0].tolist()}
print(json.dumps(result))
)");
  const std::string answer = folder + "/answer.json";
  const std::string python = SEQUELA_SOURCE_DIR "/.venv/bin/python";
  const std::string command = python + " " + script + " " + folder + " > " + answer;
  EXPECT_EQ(std::system(command.c_str()), 0);
  return parse_json(read_file(answer), answer);
}

TEST_F(CohortPostgres, EmbedsACohort) {
  const TestFolder folder;
  FeaturesOptions options = small_features(folder / "embeddings");
  options.model = tutorial_path("motor_model");
  options.ontology = tutorial_path("ontology.parquet");
  options.cohort_db = server_->uri();
  options.cohort_query = select("sepsis_label");
  const FeaturesReport report = compute_features(options);
  EXPECT_EQ(report.num_labels, 80);
  EXPECT_EQ(report.embed.num_embedded, 80);
  ASSERT_TRUE(report.cohort.has_value());
  // Subjects 0 to 79 have a label; the cohort has 170 more.
  const std::map<std::string, int64_t> sizes = {{"train", 48}, {"valid", 16}, {"test", 16}};
  EXPECT_EQ(report.cohort->num_samples[0], 48);
  EXPECT_EQ(report.cohort->num_samples[1], 16);
  EXPECT_EQ(report.cohort->num_samples[2], 16);
  EXPECT_EQ(report.cohort->missing_members.size(), 170u);
  const std::string skipped = read_file(options.out + "/skipped.csv");
  EXPECT_NE(skipped.find("\n249,,cohort member"), std::string::npos);
  EXPECT_EQ(read_file(options.out + "/manifest.json").find("staple"), std::string::npos);

  const Json opened = open_with_torch(options.out);
  for (const auto& [split, size] : sizes) {
    const Json& data = opened.at(split);
    EXPECT_EQ(data.at("shape"), (Json{size, 32}));
    ASSERT_EQ(data.at("sample_ids").size(), static_cast<size_t>(size));
    for (int64_t i = 0; i < size; ++i) {
      const int64_t subject = std::stoll(data.at("sample_ids")[i].get<std::string>());
      EXPECT_EQ(data.at("labels")[i], subject % 2 == 0 ? "0" : "1");
    }
  }

  EXPECT_TRUE(compute_features(options).is_up_to_date);
  fs::remove(options.out + "/valid_embeddings.pt");
  EXPECT_FALSE(compute_features(options).is_up_to_date);
  EXPECT_TRUE(fs::exists(options.out + "/valid_embeddings.pt"));
  server_->execute("UPDATE mimiciv_ext.dataset_splits SET sepsis_label = 2 WHERE subject_id = 7");
  EXPECT_FALSE(compute_features(options).is_up_to_date);

  options.cohort_query = "SELECT * FROM no_such_table";
  error_of<FileError>([&] { compute_features(options); });
}

}  // namespace
}  // namespace sequela
