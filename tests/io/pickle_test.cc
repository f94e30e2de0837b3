#include "sequela/io/weights/pickle.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "tests/support/reference.h"

namespace sequela {
namespace {

using Dict = PickleValue::Dict;

std::string operator""_b(const char* text, size_t size) {
  return {text, size};
}

PickleValue read(const std::string& program) {
  const std::string text = "\x80\x02"_b + program;
  return read_pickle(std::as_bytes(std::span(text)), "test.pkl");
}

std::string repeat(const std::string& text, size_t count) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += text;
  return all;
}

std::string message_of(const std::string& program) {
  try {
    read(program);
  } catch (const FileError& error) {
    return error.what();
  }
  return "";
}

nlohmann::json to_json(const PickleValue& value) {
  if (value.is_bool()) return value.boolean();
  if (value.is_int()) return value.integer();
  if (value.is_float()) return value.number();
  if (value.is_text()) return value.text();
  nlohmann::json json;
  if (value.is_list()) {
    json = nlohmann::json::array();
    for (const PickleValue& item : value.list()) json.push_back(to_json(item));
  }
  if (value.is_dict()) {
    json = nlohmann::json::object();
    for (const auto& [key, item] : value.dict()) json[key.text()] = to_json(item);
  }
  return json;
}

TEST(Pickle, MedBertFilesEqualTheirJson) {
  const std::string root = reference_path("bert/d_medbert/");
  EXPECT_EQ(to_json(read_pickle_file(root + "mb.types")),
            nlohmann::json::parse(read_file(root + "types.json")));
  // The rows of all three parts, by patient.
  std::map<int64_t, nlohmann::json> expected;
  for (const auto& row : nlohmann::json::parse(read_file(root + "expected_bencs.json"))) {
    expected[row.at(0)] = row;
  }
  size_t num_rows = 0;
  for (const char* part : {"train", "valid", "test"}) {
    const PickleValue rows = read_pickle_file(root + "mb.bencs." + part);
    for (const PickleValue& row : rows.list()) {
      EXPECT_EQ(to_json(row), expected.at(row.list().at(0).integer())) << part;
      ++num_rows;
    }
  }
  EXPECT_EQ(num_rows, expected.size());
}

TEST(Pickle, ReadsPlainValues) {
  EXPECT_TRUE(read("N.").is_none());
  EXPECT_TRUE(read("\x88.").boolean());
  EXPECT_FALSE(read("\x89.").boolean());
  EXPECT_EQ(read("J\xfe\xff\xff\xff."_b).integer(), -2);
  EXPECT_EQ(read("M\x01\x02."_b).integer(), 513);
  EXPECT_EQ(read("\x8a\x00."_b).integer(), 0);
  EXPECT_EQ(read("\x8a\x01\xff."_b).integer(), -1);
  EXPECT_EQ(read("\x8a\x03\x00\x00\x01."_b).integer(), 65536);
  EXPECT_EQ(read("\x8a\x09\x01\x02\x03\x04\x05\x06\x07\x08\x09."_b).bytes().size(), 9u);
  EXPECT_EQ(read("G\x3f\xf8\x00\x00\x00\x00\x00\x00."_b).number(), 1.5);
  EXPECT_EQ(read("X\x02\x00\x00\x00hi."_b).text(), "hi");
  EXPECT_EQ(read("\x8c\x02hi."_b).text(), "hi");
  EXPECT_EQ(read("C\x02\x00\x01."_b).bytes(), "\x00\x01"_b);
  EXPECT_EQ(read("(K\x01K\x02t.").list().size(), 2u);
  EXPECT_EQ(read("](K\x01K\x02K\x03"
                 "e.")
                .list()
                .size(),
            3u);
  const PickleValue dict = read(
      "}(\x8c\x01"
      "aK\x01\x8c\x01"
      "bK\x02\x8c\x01"
      "aK\x03u.");
  EXPECT_EQ(dict.dict().size(), 3u);
  EXPECT_EQ(dict.find("a")->integer(), 3);
  EXPECT_EQ(dict.find("c"), nullptr);
  EXPECT_EQ(read("]q\x00(h\x00h\x00t0K\x05h\x00\x86."_b).list().size(), 2u);
  EXPECT_EQ(read("ccollections\nOrderedDict\n)R\x8c\x01kK\x07s.").find("k")->integer(), 7);
  EXPECT_EQ(read("c__builtin__\nset\n](K\x01K\x02"
                 "e\x85R.")
                .list()
                .size(),
            2u);
}

TEST(Pickle, RunsNoCode) {
  for (const std::string program :
       {"cos\nsystem\n\x8c\x04true\x85R.", "c__builtin__\neval\n)R.",
        "\x8c\x02os\x8c\x06system\x93.", "cbuiltins\ngetattr\n.",
        "ctorch.nn.modules.linear\nLinear\n)\x81.", "c__main__\nModel\n)R.", "ctorch\nload\n)R."}) {
    EXPECT_NE(message_of(program).find("Python code"), std::string::npos) << program;
  }
  EXPECT_NE(message_of("cos\nsystem\n.").find("os.system"), std::string::npos);
  EXPECT_EQ(message_of("c\x1b[31m\nx\n.").find('\x1b'), std::string::npos);
  // Instructions that make or look up objects in other ways.
  for (const char* code :
       {"\x81", "\x92", "i", "o", "\x82", "P", "I1\n", "S'a'\n", "V\n", "\xff"}) {
    EXPECT_THROW(read(code + std::string(".")), FileError);
  }
}

TEST(Pickle, RefusesWhatIsBroken) {
  const std::vector<std::string> broken = {
      "", ".", "(.", "(N.", "t.", "e.", "a.", "Na.", "NNNs.", "}(Nu.", "(NNNd.", "R.", "NNR.",
      "N)R.", "b.", "Nb.", "Q.", "NQ.", ")Q.", "h\x01.", "Nq", "\x93.", "NN\x93.", "K", "J\x01",
      "G\x01", "\x8c\xff.", "X\xff\xff\xff\xff.", "\x8b\xff\xff\xff\xff.", "(]0.", "(N1.", "2.",
      "\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "Nr\xff\xff\xff\x7f.", "cos\nsystem", "\x86.",
      // A value below a mark belongs to what was begun before it.
      "](a.", "N(0t.0", "K\x01(\x85."};
  for (const std::string& program : broken) {
    EXPECT_THROW(read(program), FileError) << testing::PrintToString(program);
  }
  EXPECT_THROW(read_pickle({}, "test.pkl"), FileError);
  const std::string protocol_0 = "(lp0\nI1\na.";
  EXPECT_THROW(read_pickle(std::as_bytes(std::span(protocol_0)), "test.pkl"), FileError);
}

TEST(Pickle, BoundsDepthAndSharing) {
  EXPECT_NO_THROW(read(repeat("]", 60) + repeat("a", 59) + "."));
  EXPECT_THROW(read(repeat("]", 100000) + repeat("a", 99999) + "."), FileError);
  EXPECT_THROW(read(repeat("(", 100000) + repeat("t", 100000) + "."), FileError);
  EXPECT_THROW(read("]q\x00h\x00"_b + "a."), FileError);  // a list inside itself
  EXPECT_THROW(read("}q\x00K\x01h\x00s."_b), FileError);  // a dict inside itself
  EXPECT_THROW(read("]q\x01]h\x01"
                    "aa."),
               FileError);  // two lists inside each other
  // Each list holds the one before it twice: 2^40 values for who walks over them.
  EXPECT_THROW(read("]" + repeat("q\x01(h\x01h\x01"_b + "t", 40) + "."), FileError);
  // Shared texts cost nothing.
  const std::string text =
      "\x8c\x03"
      "abc";
  const PickleValue list = read("](" + text + "q\x01" + repeat("h\x01", 1000) + "e.");
  EXPECT_EQ(list.list().size(), 1001u);
  EXPECT_EQ(&list.list()[0].text(), &list.list()[1000].text());
}

}  // namespace
}  // namespace sequela
