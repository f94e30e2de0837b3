#include "sequela/io/postgres_client.h"

#include <dlfcn.h>

#include "sequela/core/error.h"

namespace sequela {
namespace {

// A library that is to be loaded, and its name.
struct Library {
  std::string name;
  void* handle;

  template <typename Function>
  void find(const char* symbol, Function* function) const {
    *function = reinterpret_cast<Function>(dlsym(handle, symbol));
    if (*function == nullptr) fail(str(name, " lacks ", symbol));
  }

  [[noreturn]] void fail(const std::string& reason) const {
    throw FileError("PostgreSQL's client library", reason,
                    "install it (Debian and Ubuntu: libpq5; Fedora: libpq; conda: libpq), or give "
                    "the records as files");
  }
};

}  // namespace

PostgresClient load_postgres_client(const std::string& name) {
  const Library library{name, dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)};
  if (library.handle == nullptr) {
    const char* reason = dlerror();
    library.fail(reason != nullptr ? reason : name + " cannot be loaded");
  }
  PostgresClient client;
  library.find("PQcancel", &client.cancel);
  library.find("PQconnectPoll", &client.connect_poll);
  library.find("PQconnectStart", &client.connect_start);
  library.find("PQconninfo", &client.conninfo);
  library.find("PQconninfoFree", &client.conninfo_free);
  library.find("PQconninfoParse", &client.conninfo_parse);
  library.find("PQconsumeInput", &client.consume_input);
  library.find("PQclear", &client.clear);
  library.find("PQdb", &client.db);
  library.find("PQerrorMessage", &client.error_message);
  library.find("PQfinish", &client.finish);
  library.find("PQfname", &client.fname);
  library.find("PQfreeCancel", &client.free_cancel);
  library.find("PQfreemem", &client.freemem);
  library.find("PQftype", &client.ftype);
  library.find("PQgetCancel", &client.get_cancel);
  library.find("PQgetCopyData", &client.get_copy_data);
  library.find("PQgetResult", &client.get_result);
  library.find("PQgetisnull", &client.getisnull);
  library.find("PQgetvalue", &client.getvalue);
  library.find("PQhost", &client.host);
  library.find("PQisBusy", &client.is_busy);
  library.find("PQnfields", &client.nfields);
  library.find("PQntuples", &client.ntuples);
  library.find("PQresultStatus", &client.result_status);
  library.find("PQsendQuery", &client.send_query);
  library.find("PQsetSingleRowMode", &client.set_single_row_mode);
  library.find("PQsocket", &client.socket);
  library.find("PQstatus", &client.status);
  return client;
}

const PostgresClient& postgres_client() {
  static const PostgresClient client = load_postgres_client("libpq.so.5");
  return client;
}

}  // namespace sequela
