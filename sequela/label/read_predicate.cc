#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/label/task_file.h"

namespace sequela {
namespace {

const std::vector<std::string> kPlainKeys = {"code",
                                             "value_min",
                                             "value_max",
                                             "value_min_inclusive",
                                             "value_max_inclusive",
                                             "change_min",
                                             "change_max",
                                             "change_min_inclusive",
                                             "change_max_inclusive",
                                             "occurrence",
                                             "other_cols",
                                             "static"};

std::string trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\n");
  if (begin == text.npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t\n") + 1 - begin));
}

// Reads "and(a, or(b, c))" from left to right.
class ExpressionReader {
 public:
  explicit ExpressionReader(std::string text) : text_(std::move(text)) {}

  std::optional<Expression> read() {
    auto expression = part(0);
    skip();
    return at_ == text_.size() ? expression : std::nullopt;
  }

 private:
  void skip() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(char c) {
    skip();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::optional<Expression> part(int depth) {
    skip();
    const size_t begin = at_;
    while (at_ < text_.size() && is_task_name(std::string(1, text_[at_]))) ++at_;
    Expression expression{.name = text_.substr(begin, at_ - begin)};
    if (expression.name.empty() || depth > 32) return std::nullopt;
    const bool is_operator = expression.name == "and" || expression.name == "or";
    if (!is_operator || !take('(')) return expression;
    expression.kind = expression.name == "and" ? Expression::Kind::all : Expression::Kind::any;
    do {
      auto inner = part(depth + 1);
      if (!inner) return std::nullopt;
      expression.parts.push_back(std::move(*inner));
    } while (take(','));
    if (!take(')') || expression.parts.size() < 2) return std::nullopt;
    return expression;
  }

  std::string text_;
  size_t at_ = 0;
};

// One text or a list of them.
std::vector<std::string> read_texts(const KeyReader& keys, const std::string& key) {
  const YamlNode& node = *keys.find(key);
  std::vector<std::string> texts;
  if (node.is_scalar()) texts.push_back(node.text);
  for (const YamlNode& item : node.items) {
    if (!item.is_scalar()) keys.fail(item.line, key, "expected a text");
    texts.push_back(item.text);
  }
  if (node.is_map() || texts.empty()) keys.fail(node.line, key, "expected a list of codes");
  return texts;
}

CodeRule read_code(const std::string& path, const std::string& place, const KeyReader& keys) {
  const YamlNode* node = keys.find("code");
  if (node == nullptr) keys.fail(keys.line("code"), "code", "is missing");
  if (node->is_null()) return {};
  if (node->is_scalar()) return {CodeRule::Kind::any_of, {node->text}};
  if (node->is_list()) return {CodeRule::Kind::any_of, read_texts(keys, "code")};
  const KeyReader rule(path, place + ".code", *node);
  rule.allow({"any", "regex", "under"});
  if (node->keys.size() != 1) {
    rule.fail(node->line, "", "expected one of any, regex and under");
  }
  const std::string& kind = node->keys[0];
  if (kind == "any") return {CodeRule::Kind::any_of, read_texts(rule, kind)};
  if (kind == "under") return {CodeRule::Kind::under, read_texts(rule, kind)};
  const auto pattern = rule.text("regex");
  if (!pattern || pattern->empty()) rule.fail(node->line, "regex", "expected a pattern");
  return {CodeRule::Kind::regex, {*pattern}};
}

ValueRange read_range(const KeyReader& keys, const std::string& name) {
  return {.min = keys.number(name + "_min"),
          .max = keys.number(name + "_max"),
          .is_min_inclusive = keys.boolean(name + "_min_inclusive").value_or(false),
          .is_max_inclusive = keys.boolean(name + "_max_inclusive").value_or(false)};
}

int read_occurrence(const KeyReader& keys) {
  const auto text = keys.text("occurrence");
  if (!text) return 0;
  if (*text == "first") return 1;
  const auto number = keys.integer("occurrence");
  if (*number < 1 || *number > 1'000'000) {
    keys.fail(keys.line("occurrence"), "occurrence", "expected first, or a number from 1");
  }
  return static_cast<int>(*number);
}

void add_column(const KeyReader& keys, const std::string& column, const YamlNode& value,
                Predicate* predicate) {
  if (!value.is_scalar()) keys.fail(value.line, column, "expected one value");
  predicate->columns.push_back({column, value.text});
}

}  // namespace

Predicate read_predicate(const std::string& path, const std::string& name, int line,
                         const YamlNode& node) {
  const std::string place = "predicates." + name;
  if (!is_task_name(name)) {
    throw ConfigError(
        str(path, ": line ", line, ": ", place, ": a name is made of letters, digits and '_'"));
  }
  Predicate predicate{.name = name, .line = line};
  if (node.is_scalar() || node.is_null()) return predicate;  // a gap that another file may fill
  const KeyReader keys(path, place, node);
  if (const auto text = keys.text("expr")) {
    keys.allow({"expr", "static"});
    predicate.expression = ExpressionReader(trim(*text)).read();
    const bool is_sound =
        predicate.expression && predicate.expression->kind != Expression::Kind::name;
    if (!is_sound) {
      keys.fail(keys.line("expr"), "expr", "expected and(a, b, ...) or or(a, b, ...)");
    }
    return predicate;
  }
  predicate.code = read_code(path, place, keys);
  predicate.value = read_range(keys, "value");
  predicate.change = read_range(keys, "change");
  predicate.occurrence = read_occurrence(keys);
  if (const YamlNode* columns = keys.find("other_cols"); columns && !columns->is_null()) {
    const KeyReader others(path, place + ".other_cols", *columns);
    for (size_t i = 0; i < columns->keys.size(); ++i) {
      add_column(others, columns->keys[i], columns->items[i], &predicate);
    }
  }
  keys.allow(kPlainKeys);
  return predicate;
}

}  // namespace sequela
