#include "sequela/io/postgres_client.h"

#include "sequela/io/shared_library.h"

namespace sequela {

PostgresClient load_postgres_client(const std::string& name) {
  const SharedLibrary library(name, "PostgreSQL's client library",
                              "install it (Debian and Ubuntu: libpq5; Fedora: libpq; conda: "
                              "libpq), or give the records as files");
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
