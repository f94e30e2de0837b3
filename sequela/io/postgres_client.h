#pragma once

#include <libpq-fe.h>

#include <string>

namespace sequela {

// PostgreSQL's client library (libpq), found when a database is first named: a machine that needs
// no database needs no libpq, and what lies behind it. Each member is libpq's function of its name:
// connect_poll is PQconnectPoll.
struct PostgresClient {
  decltype(&::PQcancel) cancel;
  decltype(&::PQconnectPoll) connect_poll;
  decltype(&::PQconnectStart) connect_start;
  decltype(&::PQconninfo) conninfo;
  decltype(&::PQconninfoFree) conninfo_free;
  decltype(&::PQconninfoParse) conninfo_parse;
  decltype(&::PQconsumeInput) consume_input;
  decltype(&::PQclear) clear;
  decltype(&::PQdb) db;
  decltype(&::PQerrorMessage) error_message;
  decltype(&::PQfinish) finish;
  decltype(&::PQfname) fname;
  decltype(&::PQfreeCancel) free_cancel;
  decltype(&::PQfreemem) freemem;
  decltype(&::PQftype) ftype;
  decltype(&::PQgetCancel) get_cancel;
  decltype(&::PQgetCopyData) get_copy_data;
  decltype(&::PQgetResult) get_result;
  decltype(&::PQgetisnull) getisnull;
  decltype(&::PQgetvalue) getvalue;
  decltype(&::PQhost) host;
  decltype(&::PQisBusy) is_busy;
  decltype(&::PQnfields) nfields;
  decltype(&::PQntuples) ntuples;
  decltype(&::PQresultStatus) result_status;
  decltype(&::PQsendQuery) send_query;
  decltype(&::PQsetSingleRowMode) set_single_row_mode;
  decltype(&::PQsocket) socket;
  decltype(&::PQstatus) status;
};

// Loads the library of this name. It stays loaded. Throws FileError if it is missing, or lacks a
// function; the message says what to install.
PostgresClient load_postgres_client(const std::string& library);

// libpq.so.5, loaded at the first call that finds it.
const PostgresClient& postgres_client();

}  // namespace sequela
