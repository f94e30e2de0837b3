#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sequela {

// An expression of dftly 0.7 (PyPI: dftly), the language of MESSY files' values:
//
//   $name, $`a name`           a column             "text", word, 12, 1.5, true, 2020-01-31
//   f"LAB//{$itemid ?? 'UNK'}"  null if a field is    $x as int, $x::?float64, $t::"%Y-%m-%d"
//   a ?? b, coalesce(a, b)     the first not null   $x[0:3], len_chars($x), substring($x, 0, 3)
//   a if condition else b      /re/ in $x           extract group 1 of /re/ from $x
//   + - * / **, == != < <= > >=, and or not, $day @ 11:30, hash($x), min max mean, ...
struct MessyExpression {
  enum class Kind {
    text,     // a literal: `text`
    integer,  // `text` as it is written
    real,
    boolean,      // "true" or "false"
    date,         // "2020-01-31"
    datetime,     // "2020-01-31 12:00:00"
    time,         // "11:30:00"
    null,         // of YAML
    column,       // its name is `text`
    call,         // of function `text`
    binary,       // operator `text`
    unary,        // "not", "-" or "+"
    conditional,  // value, condition, other (may be missing)
    cast,         // to type `text`
    strptime,     // by format `text`
    interpolate,  // its parts in order
    extract,      // regex `text`, group in `group`
    match,        // regex `text`
    slice,        // of args[0], [1] start, [2] stop: kind null = open
  };

  Kind kind = Kind::null;
  std::string text;
  std::vector<MessyExpression> args;
  bool is_lenient = false;  // cast, strptime: what cannot be converted is null, not a fault
  int group = 0;
};

// Throws ConfigError: what is wrong, and where in the text.
MessyExpression parse_expression(std::string_view text);

// The columns that it reads, distinct, in order.
std::vector<std::string> columns_of(const MessyExpression& expression);

}  // namespace sequela
