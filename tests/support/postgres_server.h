#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace sequela {

// A PostgreSQL server of its own for a test: user "sequela" with a password, database "postgres",
// on a free loopback port and a Unix socket. It ends with the object, and with the test process.
// The server refuses to run as root; then it runs as user postgres or nobody.
class PostgresServer {
 public:
  static constexpr const char* kPassword = "correct:horse@battery/staple";
  static constexpr const char* kEncodedPassword = "correct%3Ahorse%40battery%2Fstaple";

  // Folder of the newest installed server programs; empty = there are none.
  static std::string find_programs() {
    std::string newest;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored)) {
      const std::string folder = entry.path() / "bin";
      if (std::filesystem::exists(folder + "/initdb")) newest = std::max(newest, folder);
    }
    return newest;
  }

  explicit PostgresServer(const std::string& programs) : port_(find_free_port()) {
    std::string folder = (std::filesystem::temp_directory_path() / "sequela-pg-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) throw std::runtime_error("cannot make " + folder);
    folder_ = folder;
    std::ofstream(folder_ / "password") << kPassword << "\n";
    if (geteuid() == 0) give_away();
    const std::string data = folder_ / "data";
    const int init = wait_for(start({programs + "/initdb", "--pgdata=" + data, "--username=sequela",
                                     "--pwfile=" + (folder_ / "password").string(),
                                     "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync"}));
    if (init != 0) throw std::runtime_error("initdb failed:\n" + log());
    server_ = start({programs + "/postgres", "-D", data, "-p", std::to_string(port_), "-k",
                     folder_.string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"});
    wait_until_ready();
  }

  ~PostgresServer() { stop(); }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  std::string uri(const std::string& encoded_password = kEncodedPassword) const {
    return "postgresql://sequela:" + encoded_password + "@127.0.0.1:" + std::to_string(port_) +
           "/postgres";
  }
  std::string socket_uri() const {
    return "postgresql:///postgres?host=" + folder_.string() + "&port=" + std::to_string(port_) +
           "&user=sequela&password=" + kEncodedPassword;
  }

  void execute(const std::string& statements) const {
    PGconn* connection = PQconnectdb(uri().c_str());
    PGresult* result = PQexec(connection, statements.c_str());
    const bool is_good = PQresultStatus(result) == PGRES_COMMAND_OK;
    const std::string problem = PQerrorMessage(connection);
    PQclear(result);
    PQfinish(connection);
    if (!is_good) throw std::runtime_error(problem);
  }

 private:
  static int find_free_port() {
    const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    const bool is_bound =
        bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
        getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    close(descriptor);
    if (!is_bound) throw std::runtime_error("no free port");
    return ntohs(address.sin_port);
  }

  void give_away() {
    const passwd* user = getpwnam("postgres");
    if (user == nullptr) user = getpwnam("nobody");
    if (user == nullptr) throw std::runtime_error("there is no user to run the server as");
    user_ = user->pw_uid;
    group_ = user->pw_gid;
    for (const std::string& path : {folder_.string(), (folder_ / "password").string()}) {
      if (chown(path.c_str(), user_, group_) != 0) throw std::runtime_error("cannot chown " + path);
    }
  }

  // Starts a program as the unprivileged user; it ends with this process.
  pid_t start(const std::vector<std::string>& command) {
    std::vector<char*> argv;
    for (const std::string& part : command) argv.push_back(const_cast<char*>(part.c_str()));
    argv.push_back(nullptr);
    const std::string log_path = folder_ / "log";
    const pid_t child = fork();
    if (child != 0) return child;
    const int log = open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(log, 1);
    dup2(log, 2);
    if (user_ != 0 && (setgroups(0, nullptr) != 0 || setgid(group_) != 0 || setuid(user_) != 0)) {
      _exit(126);
    }
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (chdir(folder_.c_str()) == 0) execv(argv[0], argv.data());
    _exit(127);
  }

  static int wait_for(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  }

  void stop() {
    if (server_ > 0) {
      kill(server_, SIGINT);  // a fast shutdown
      wait_for(server_);
    }
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  void wait_until_ready() {
    for (int tries = 0; tries < 600; ++tries) {
      if (PQping(uri().c_str()) == PQPING_OK) return;
      if (waitpid(server_, nullptr, WNOHANG) != 0) {
        server_ = 0;
        break;
      }
      usleep(50'000);
    }
    const std::string text = log();
    stop();
    throw std::runtime_error("the server does not start:\n" + text);
  }

  std::string log() const {
    std::ifstream file(folder_ / "log");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::filesystem::path folder_;
  int port_ = 0;
  uid_t user_ = 0;
  gid_t group_ = 0;
  pid_t server_ = 0;
};

}  // namespace sequela
