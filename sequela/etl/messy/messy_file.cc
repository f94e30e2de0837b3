#include "sequela/etl/messy/messy_file.h"

#include <algorithm>
#include <array>
#include <functional>

#include "sequela/core/error.h"
#include "sequela/core/suggest.h"
#include "sequela/core/yaml.h"

namespace sequela {
namespace {

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  MessyFile read(const YamlNode& root);

 private:
  MessyTable read_table(const std::string& name, const YamlNode& node, int line,
                        const MessyValue& subject_id);
  MessyEvent read_event(const std::string& name, const YamlNode& node, int line);
  void read_frame(const YamlNode& node, MessyTable* table);
  MessyJoin read_join(const std::string& name, const YamlNode& node, int line);
  MessyMetadata read_metadata(const std::string& name, const YamlNode& node, int line);
  MessyValue value(const std::string& name, const YamlNode& node, int line);
  MessyExpression dict_form(const YamlNode& node, int line);
  std::vector<std::string> words(const YamlNode& node, int line);
  void for_each(const YamlNode& map, int line,
                const std::function<void(const std::string&, const YamlNode&, int)>& visit);
  MessyValue subject_of(const YamlNode& defaults, int line);
  [[noreturn]] void fail(int line, const std::string& problem) const {
    throw ConfigError(str(path_, ": line ", line, ": ", problem));
  }

  const std::string path_;
};

void Reader::for_each(const YamlNode& map, int line,
                      const std::function<void(const std::string&, const YamlNode&, int)>& visit) {
  if (!map.is_map()) fail(line, "a map was expected here");
  for (size_t i = 0; i < map.keys.size(); ++i) visit(map.keys[i], map.items[i], map.key_lines[i]);
}

std::vector<std::string> Reader::words(const YamlNode& node, int line) {
  if (node.is_scalar()) return {node.text};
  if (!node.is_list()) fail(line, "a name or a list of names was expected here");
  std::vector<std::string> out;
  for (const YamlNode& item : node.items) {
    if (!item.is_scalar()) fail(line, "a list of names was expected here");
    out.push_back(item.text);
  }
  return out;
}

// {column: a name}, {literal: a text}: the forms that a string cannot always have.
MessyExpression Reader::dict_form(const YamlNode& node, int line) {
  const YamlNode* column = node.find("column");
  const YamlNode* literal = node.find("literal");
  if (node.keys.size() == 1 && column != nullptr && column->is_scalar())
    return {MessyExpression::Kind::column, column->text};
  if (node.keys.size() == 1 && literal != nullptr && literal->is_scalar())
    return {MessyExpression::Kind::text, literal->text};
  fail(line,
       "of the forms with keys, {column: NAME} and {literal: TEXT} are read; write the others as "
       "text, such as $name::int");
}

MessyValue Reader::value(const std::string& name, const YamlNode& node, int line) {
  if (node.is_map()) return {name, dict_form(node, line), line};
  if (!node.is_scalar()) fail(line, str(name, ": an expression was expected, such as $column"));
  if (node.text.find("${") != std::string::npos)
    fail(line, str(name, ": interpolations (${...}) are not read here; write the value itself"));
  try {
    return {name, parse_expression(node.text), line};
  } catch (const ConfigError& error) {
    fail(line, str(name, ": ", error.what()));
  }
}

MessyMetadata Reader::read_metadata(const std::string& name, const YamlNode& node, int line) {
  MessyMetadata metadata{name, {}, line};
  for_each(node, line, [&](const std::string& key, const YamlNode& item, int at) {
    metadata.outputs.push_back(value(key, item, at));
  });
  return metadata;
}

MessyEvent Reader::read_event(const std::string& name, const YamlNode& node, int line) {
  MessyEvent event;
  event.name = name;
  event.line = line;
  bool has_code = false, has_time = false;
  for_each(node, line, [&](const std::string& key, const YamlNode& item, int at) {
    if (key == "_metadata") {
      for_each(item, at, [&](const std::string& table, const YamlNode& outputs, int place) {
        event.metadata.push_back(read_metadata(table, outputs, place));
      });
    } else if (key.starts_with("_")) {
      fail(at, str("unknown key '", key, "'", did_you_mean(key, {"_metadata"})));
    } else if (key == "subject_id") {
      fail(at, "subject_id belongs to the table: write it under _defaults");
    } else if (key == "code") {
      event.code = value(key, item, at);
      has_code = true;
    } else if (key == "time") {
      if (!item.is_null()) event.time = value(key, item, at);
      has_time = true;
    } else if (!item.is_null()) {
      event.columns.push_back(value(key, item, at));
    }
  });
  if (!has_code) fail(line, str("the event '", name, "' has no code"));
  if (!has_time)
    fail(line, str("the event '", name, "' has no time; a static one has `time: null`"));
  return event;
}

MessyJoin Reader::read_join(const std::string& name, const YamlNode& node, int line) {
  static constexpr std::array kAggregations = {"min", "max", "sum", "mean", "count"};
  MessyJoin join;
  join.table = name;
  join.line = line;
  for_each(node, line, [&](const std::string& key, const YamlNode& item, int at) {
    if (key == "key") {
      join.left_keys = join.right_keys = words(item, at);
    } else if (key == "left_on") {
      join.left_keys = words(item, at);
    } else if (key == "right_on") {
      join.right_keys = words(item, at);
    } else if (key == "cols" && item.is_map()) {
      for_each(item, at, [&](const std::string& column, const YamlNode& how, int place) {
        if (!how.is_scalar() || std::ranges::find(kAggregations, how.text) == kAggregations.end())
          fail(place, "min, max, sum, mean or count was expected");
        join.columns.push_back({column, how.text});
      });
    } else if (key == "cols") {
      for (const std::string& column : words(item, at)) join.columns.push_back({column, ""});
    } else {
      fail(at, str("unknown key '", key, "' of a join",
                   did_you_mean(key, {"key", "left_on", "right_on", "cols"})));
    }
  });
  if (join.left_keys.empty() || join.left_keys.size() != join.right_keys.size())
    fail(line, "a join needs `key`, or as many of `left_on` as of `right_on`");
  if (join.columns.empty()) fail(line, "a join needs `cols`, the columns that it brings");
  return join;
}

void Reader::read_frame(const YamlNode& node, MessyTable* table) {
  for_each(node, table->line, [&](const std::string& key, const YamlNode& item, int at) {
    if (key == "cols") {
      for_each(item, at, [&](const std::string& name, const YamlNode& expression, int place) {
        table->columns.push_back(value(name, expression, place));
      });
    } else if (key == "join") {
      for_each(item, at, [&](const std::string& name, const YamlNode& join, int place) {
        table->joins.push_back(read_join(name, join, place));
      });
    } else {
      fail(at, str("unknown key '", key, "' of _table", did_you_mean(key, {"cols", "join"})));
    }
  });
}

MessyValue Reader::subject_of(const YamlNode& defaults, int line) {
  const YamlNode* subject_id = defaults.find("subject_id");
  if (!defaults.is_map() || subject_id == nullptr || defaults.keys.size() != 1)
    fail(line, "_defaults holds subject_id, and nothing else");
  return value("subject_id", *subject_id, line);
}

MessyTable Reader::read_table(const std::string& name, const YamlNode& node, int line,
                              const MessyValue& subject_id) {
  MessyTable table;
  table.name = name;
  table.line = line;
  table.subject_id = subject_id;
  for_each(node, line, [&](const std::string& key, const YamlNode& item, int at) {
    if (key == "_defaults") {
      table.subject_id = subject_of(item, at);
    } else if (key == "_table") {
      read_frame(item, &table);
    } else if (key.starts_with("_")) {
      fail(at, str("unknown key '", key, "'", did_you_mean(key, {"_defaults", "_table"})));
    } else {
      table.events.push_back(read_event(key, item, at));
    }
  });
  if (table.events.empty()) fail(line, str("the table '", name, "' has no event"));
  return table;
}

MessyFile Reader::read(const YamlNode& root) {
  MessyFile file;
  file.path = path_;
  MessyValue subject_id{"subject_id", {MessyExpression::Kind::column, "subject_id"}, 1};
  if (const YamlNode* defaults = root.find("_defaults"))
    subject_id = subject_of(*defaults, defaults->line);
  for_each(root, 1, [&](const std::string& key, const YamlNode& node, int line) {
    if (key == "_defaults" || key == "sources") return;
    if (key == "etl") {
      const auto text = [&](const char* name) {
        const YamlNode* item = node.find(name);
        return item != nullptr && item->is_scalar() ? item->text : "";
      };
      file.dataset_name = text("dataset_name");
      file.dataset_version = text("raw_dataset_version");
      file.dedups_text = text("do_dedup_text_and_numeric") == "true";
    } else {
      file.tables.push_back(read_table(key, node, line, subject_id));
    }
  });
  if (file.tables.empty()) fail(1, "the file names no table");
  return file;
}

}  // namespace

MessyFile parse_messy(const std::string& text, const std::string& path) {
  return Reader(path).read(parse_yaml(text, path));
}

}  // namespace sequela
