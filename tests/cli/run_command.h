#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace sequela {

struct CommandResult {
  int exit_code = 0;  // 128 + signal if one ended it
  std::string out, err;
  double seconds = 0;
  int64_t peak_mib = 0;  // resident
};

inline std::string slurp(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Runs the built `sequela` with these arguments and waits for it.
inline CommandResult run_sequela(const std::vector<std::string>& arguments) {
  const std::string base =
      (std::filesystem::temp_directory_path() / ("sequela-test-" + std::to_string(getpid())))
          .string();
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child == 0) {
    const int out = open((base + ".out").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int err = open((base + ".err").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(out, 1);
    dup2(err, 2);
    setenv("XDG_CACHE_HOME", "/dev/null", /*overwrite=*/0);  // nothing goes into the user's own
    std::vector<char*> argv = {const_cast<char*>(SEQUELA_BINARY)};
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    execv(SEQUELA_BINARY, argv.data());
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  CommandResult result;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.peak_mib = usage.ru_maxrss / 1024;
  result.out = slurp(base + ".out");
  result.err = slurp(base + ".err");
  std::filesystem::remove(base + ".out");
  std::filesystem::remove(base + ".err");
  return result;
}

}  // namespace sequela
