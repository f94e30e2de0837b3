#include "sequela/cli/hub_python.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/json.h"

namespace sequela {
namespace {

constexpr int kPollMilliseconds = 200;

// The current folder is taken off the path: nothing in it is to be run.
const char* const kScript =
    "import sys\n"
    "sys.path = [p for p in sys.path if p]\n"
    "from importlib.util import find_spec\n"
    "missing = [n for n in ('sequela', 'huggingface_hub') if find_spec(n) is None]\n"
    "if missing:\n"
    "    print('{\"missing\": \"' + missing[0] + '\"}')\n"
    "else:\n"
    "    from sequela.hub import main\n"
    "    sys.exit(main(sys.argv[1:]))\n";

std::string python() {
  const char* named = std::getenv("SEQUELA_PYTHON");
  return named != nullptr && *named != '\0' ? named : "python3";
}

// A process whose stdout is read here.
class Child {
 public:
  explicit Child(std::vector<std::string> arguments) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw ResourceError("no pipe: too many open files");
    out_ = ends[0];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    error_ = posix_spawnp(&id_, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
  }
  ~Child() { close(out_); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  bool is_started() const { return error_ == 0; }

  // All that it wrote. A stop asked of this process is passed on.
  std::string read_all() {
    std::string text;
    char buffer[4096];
    while (true) {
      pollfd ready{.fd = out_, .events = POLLIN, .revents = 0};
      if (poll(&ready, 1, kPollMilliseconds) <= 0) {
        if (stop_signal() != 0) kill(id_, SIGTERM);
        continue;
      }
      const ssize_t count = read(out_, buffer, sizeof(buffer));
      if (count <= 0) return text;
      text.append(buffer, static_cast<size_t>(count));
    }
  }

  int wait() {
    int status = 0;
    while (waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
  }

 private:
  int out_ = -1;
  int error_ = 0;
  pid_t id_ = 0;
};

[[noreturn]] void fail_without(const std::string& what, const std::string& model) {
  const bool has_package = what == "huggingface_hub";
  throw FileError(
      model,
      str("asking the hub needs ", has_package ? what : "Sequela's Python package", ", which ",
          python(), " does not have"),
      has_package
          ? python() + " -m pip install 'huggingface_hub>=1.31,<3'"
          : "in Sequela's sources, pip install '.[hub]', or name the Python of the environment "
            "that has it, SEQUELA_PYTHON=/path/to/python");
}

[[noreturn]] void fail_as(const Json& error) {
  const std::string kind = error.value("kind", "");
  const std::string message = error.value("message", "");
  if (kind == "ConfigError") throw ConfigError(message);
  if (kind == "ResourceError") throw ResourceError(message);
  throw Error(message);
}

}  // namespace

std::string ask_hub(const std::vector<std::string>& arguments, const std::string& model) {
  std::vector<std::string> command = {python(), "-c", kScript};
  command.insert(command.end(), arguments.begin(), arguments.end());
  Child child(std::move(command));
  if (!child.is_started()) fail_without("sequela", model);
  const std::string answer = child.read_all();
  const int status = child.wait();
  throw_if_stopped();
  if (!answer.empty()) {
    const Json json = parse_json(answer, "the answer of sequela.hub");
    if (json.contains("missing")) fail_without(json["missing"].get<std::string>(), model);
    if (json.contains("error")) fail_as(json["error"]);
    if (status == 0) return answer;
  }
  throw FileError(model, str(python(), " could not ask the hub, and said above why"),
                  "reinstall the Python package");
}

}  // namespace sequela
