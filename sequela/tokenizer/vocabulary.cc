// dictionary.msgpack, one MessagePack map. Hierarchical (femr 0.2.4):
//   vocab: [{type: "code", code_string, weight}
//           | {type: "numeric", property, val_start, val_end, weight}
//           | {type: "text", property, text_string, weight}]
//         A numeric entry that is of one code alone has its code_string too; femr knows none.
//   age_stats: {age, log_age, delta, log_delta: {mean, std}}
// Flat (femr 0.2.0 - 0.2.3):
//   is_hierarchical: false
//   vocab: the same, but code_string in place of property; also {type: "unused"}
//   age_stats: {mean, std}
#include "sequela/tokenizer/vocabulary.h"

#include <cmath>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "sequela/io/msgpack.h"

namespace sequela {
namespace {

using Type = VocabularyEntry::Type;

double number_at(const MsgpackValue& map, std::string_view key, const std::string& path) {
  const double value = map.at(key).as_double();
  if (std::isnan(value)) throw FileError(path, str("field '", key, "' is not a number"));
  return value;
}

// A spread of 0 is read as 1: values are divided by it.
MeanStd read_mean_std(const MsgpackValue& map, const std::string& path) {
  MeanStd stats{number_at(map, "mean", path), number_at(map, "std", path)};
  if (!std::isfinite(stats.mean) || !std::isfinite(stats.std) || stats.std < 0) {
    throw FileError(path, "field 'age_stats' holds no mean and standard deviation");
  }
  if (stats.std == 0) stats.std = 1;
  return stats;
}

AgeStats read_age_stats(const MsgpackValue& map, const std::string& path) {
  if (map.find("mean") != nullptr) {
    const MeanStd age = read_mean_std(map, path);
    return {age, age, age, age};
  }
  return {read_mean_std(map.at("age"), path), read_mean_std(map.at("log_age"), path),
          read_mean_std(map.at("delta"), path), read_mean_std(map.at("log_delta"), path)};
}

Type to_type(std::string_view name) {
  if (name == "code") return Type::code;
  if (name == "text") return Type::text;
  if (name == "numeric") return Type::numeric;
  return Type::unused;
}

VocabularyEntry read_entry(const MsgpackValue& map, bool is_hierarchical, const std::string& path) {
  VocabularyEntry entry;
  entry.type = to_type(map.at("type").as_text());
  if (entry.type == Type::unused) return entry;
  entry.weight = number_at(map, "weight", path);
  if (is_hierarchical && entry.type != Type::code) {
    entry.property = map.at("property").as_text();
    const MsgpackValue* const code = map.find("code_string");
    if (entry.type == Type::numeric && code != nullptr) entry.code_string = code->as_text();
  } else {
    entry.code_string = map.at("code_string").as_text();
  }
  if (entry.type == Type::text) entry.text_string = map.at("text_string").as_text();
  if (entry.type == Type::numeric) {
    entry.val_start = number_at(map, "val_start", path);
    entry.val_end = number_at(map, "val_end", path);
  }
  return entry;
}

void write_entry(const VocabularyEntry& entry, MsgpackWriter& writer) {
  const auto field = [&](std::string_view key, std::string_view value) {
    writer.text(key);
    writer.text(value);
  };
  const auto number_field = [&](std::string_view key, double value) {
    writer.text(key);
    writer.number(value);
  };
  switch (entry.type) {
    case Type::code:
      writer.begin_map(3);
      field("type", "code");
      field("code_string", entry.code_string);
      break;
    case Type::text:
      writer.begin_map(4);
      field("type", "text");
      field("property", entry.property);
      field("text_string", entry.text_string);
      break;
    case Type::numeric:
      writer.begin_map(entry.code_string.empty() ? 5 : 6);
      field("type", "numeric");
      if (!entry.code_string.empty()) field("code_string", entry.code_string);
      field("property", entry.property);
      number_field("val_start", entry.val_start);
      number_field("val_end", entry.val_end);
      break;
    case Type::unused:
      writer.begin_map(2);
      field("type", "unused");
      break;
  }
  // femr writes the weight of a bin, -1, as the integer that it is.
  writer.text("weight");
  if (entry.type == Type::numeric && entry.weight == -1) {
    writer.integer(-1);
  } else {
    writer.number(entry.weight);
  }
}

void write_mean_std(std::string_view name, const MeanStd& stats, MsgpackWriter& writer) {
  writer.text(name);
  writer.begin_map(2);
  writer.text("mean");
  writer.number(stats.mean);
  writer.text("std");
  writer.number(stats.std);
}

}  // namespace

Vocabulary Vocabulary::read(const std::string& path) {
  const MsgpackDocument document(path);
  const MsgpackValue& root = document.root();
  const MsgpackValue& age_stats = root.at("age_stats");
  const MsgpackValue* const is_hierarchical = root.find("is_hierarchical");
  Vocabulary vocabulary;
  vocabulary.is_hierarchical =
      is_hierarchical != nullptr ? is_hierarchical->as_bool() : age_stats.find("mean") == nullptr;
  vocabulary.age_stats = read_age_stats(age_stats, path);
  for (const MsgpackValue& entry : root.at("vocab").as_array()) {
    vocabulary.entries.push_back(read_entry(entry, vocabulary.is_hierarchical, path));
  }
  return vocabulary;
}

void Vocabulary::write(const std::string& path) const {
  SEQUELA_CHECK(is_hierarchical);
  MsgpackWriter writer;
  writer.begin_map(2);
  writer.text("vocab");
  writer.begin_array(entries.size());
  for (const VocabularyEntry& entry : entries) write_entry(entry, writer);
  writer.text("age_stats");
  writer.begin_map(4);
  write_mean_std("age", age_stats.age, writer);
  write_mean_std("log_age", age_stats.log_age, writer);
  write_mean_std("delta", age_stats.delta, writer);
  write_mean_std("log_delta", age_stats.log_delta, writer);
  write_file(path, writer.bytes());
}

}  // namespace sequela
