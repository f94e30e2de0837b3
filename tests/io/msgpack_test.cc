#include "sequela/io/msgpack.h"

#include <gtest/gtest.h>

#include <functional>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "tests/support/bad_inputs.h"
#include "tests/support/reference.h"

namespace sequela {
namespace {

using Kind = MsgpackValue::Kind;

void write_again(const MsgpackValue& value, MsgpackWriter* writer) {
  switch (value.kind()) {
    case Kind::nil:
      return writer->nil();
    case Kind::boolean:
      return writer->boolean(value.as_bool());
    case Kind::integer:
      return writer->integer(value.as_int());
    case Kind::number:
      return writer->number(value.as_double());
    case Kind::text:
    case Kind::binary:
      return writer->text(value.as_text());
    case Kind::array:
      writer->begin_array(value.as_array().size());
      for (const MsgpackValue& item : value.as_array()) write_again(item, writer);
      return;
    case Kind::map:
      writer->begin_map(value.as_map().size() / 2);
      for (const MsgpackValue& item : value.as_map()) write_again(item, writer);
  }
}

TEST(Msgpack, ReadsAndWritesTheReferenceDictionaries) {
  for (const char* name :
       {"g60/tokenizer", "tutorial/tokenizer", "tutorial/flat_tokenizer_femr023"}) {
    const std::string path = reference_path(std::string("motor/") + name + "/dictionary.msgpack");
    const MsgpackDocument document(path);
    EXPECT_FALSE(document.root().at("vocab").as_array().empty());
    MsgpackWriter writer;
    write_again(document.root(), &writer);
    EXPECT_EQ(writer.bytes(), read_file(path)) << name;
  }
}

TEST(Msgpack, IntegersOfEverySizeComeBack) {
  for (int shift = 0; shift < 63; ++shift) {
    for (const int64_t near : {-1, 0, 1}) {
      for (const int64_t sign : {-1, 1}) {
        const int64_t value = sign * ((int64_t{1} << shift) + near);
        MsgpackWriter writer;
        writer.integer(value);
        EXPECT_EQ(MsgpackDocument(writer.bytes(), "test").root().as_int(), value);
      }
    }
  }
}

TEST(Msgpack, UsesTheShortestForms) {
  const auto size = [](int64_t value) {
    MsgpackWriter writer;
    writer.integer(value);
    return writer.bytes().size();
  };
  EXPECT_EQ(size(127), 1u);
  EXPECT_EQ(size(128), 2u);
  EXPECT_EQ(size(256), 3u);
  EXPECT_EQ(size(-32), 1u);
  EXPECT_EQ(size(-33), 2u);
  EXPECT_EQ(size(-128), 2u);
  EXPECT_EQ(size(-129), 3u);
  EXPECT_EQ(size(-32768), 3u);
  EXPECT_EQ(size(65536), 5u);
}

TEST(Msgpack, RefusesBrokenDocuments) {
  const auto read = [](std::string bytes) { MsgpackDocument document(std::move(bytes), "test"); };
  EXPECT_THROW(read(""), FileError);
  EXPECT_THROW(read("\x01\x01"), FileError);
  EXPECT_THROW(read(std::string("\xdf\xff\xff\xff\xff", 5)), FileError);
  EXPECT_THROW(read(std::string("\xdb\xff\xff\xff\xff", 5)), FileError);
  EXPECT_THROW(read("\xc1"), FileError);
  EXPECT_THROW(read(std::string("\xd4\x01\x01", 3)), FileError);
  EXPECT_THROW(read(std::string(400000, '\x91') + '\x01'), FileError);
  EXPECT_THROW(read(std::string("\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9)), FileError);
  EXPECT_NO_THROW(read(std::string(60, '\x91') + '\x01'));
}

TEST(Msgpack, RefusesTheBrokenDictionaries) {
  BadInputs inputs;
  for (const char* name : {"24_dict_truncated", "25_dict_nested_bomb"}) {
    EXPECT_THROW(MsgpackDocument(inputs.path(name) + "/dictionary.msgpack"), FileError) << name;
  }
}

TEST(Msgpack, AccessorsNameWhatIsMissing) {
  MsgpackWriter writer;
  writer.begin_map(1);
  writer.text("vocab");
  writer.integer(3);
  const MsgpackDocument document(writer.bytes(), "d.msgpack");
  EXPECT_EQ(document.root().at("vocab").as_double(), 3.0);
  EXPECT_THROW(document.root().at("vocab").as_text(), FileError);
  EXPECT_THROW(document.root().at("vocab").find("x"), FileError);
  EXPECT_THROW(document.root().at("age_stats"), FileError);
  EXPECT_EQ(document.root().find("age_stats"), nullptr);
}

}  // namespace
}  // namespace sequela
