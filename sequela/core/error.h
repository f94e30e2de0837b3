#pragma once

#include <cstdint>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>

namespace sequela {

// Joins its arguments into one string, as operator<< prints them.
template <class... Parts>
std::string str(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

// The place of a fault in the user's data. Fields that are not known stay empty; the deepest code
// fills in row and column, its callers add path and subject on the way up.
struct Where {
  std::string path;
  int64_t row_group = -1;
  int64_t row = -1;  // 0-based, within the file
  std::string column;
  std::optional<int64_t> subject_id;

  // "data/0.parquet: row group 2, row 81234 (subject 1029): column 'time'", without the empty
  // parts.
  std::string text() const;
};

// Base of every error that a user can cause and mend. what() is one line.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Bad input data. Message: "<where>: <what is wrong>. Fix: <what would mend it>." Exit code 3.
class DataError : public Error {
 public:
  DataError(Where where, std::string problem, std::string fix = "");

  // The same error with the empty fields of its place taken from `outer`.
  DataError within(const Where& outer) const;
  const Where& where() const { return where_; }
  const std::string& problem() const { return problem_; }

 private:
  Where where_;
  std::string problem_;
  std::string fix_;
};

// A missing, unreadable or corrupt model or other file. Exit code 4.
class FileError : public Error {
 public:
  FileError(const std::string& path, const std::string& cause, const std::string& fix = "");
};

// A wrong option or setting. Exit code 2.
class ConfigError : public Error {
 public:
  ConfigError(const std::string& key, const std::string& value, const std::string& allowed);
  explicit ConfigError(const std::string& message) : Error(message) {}
};

// The machine ran out of something: disk, memory. Exit code 5.
class ResourceError : public Error {
 public:
  using Error::Error;
};

// The user asked to stop (SIGINT, SIGTERM). Exit code 128 + signal.
class Interrupted : public Error {
 public:
  explicit Interrupted(int signal);
  int signal() const { return signal_; }

 private:
  int signal_;
};

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace sequela

// States what must hold unless Sequela has a bug; on in release builds. Throws std::logic_error.
#define SEQUELA_CHECK(expression) \
  ((expression) ? (void)0 : ::sequela::check_failed(#expression, __FILE__, __LINE__))
