#include "sequela/io/postgres_client.h"

#include <gtest/gtest.h>

#include "sequela/core/error.h"

namespace sequela {
namespace {

std::string message_of(const std::string& library) {
  try {
    load_postgres_client(library);
  } catch (const FileError& error) {
    return error.what();
  }
  return "";
}

TEST(PostgresClient, AMissingLibraryIsNamedAndWhatToInstall) {
  const std::string message = message_of("libpq-absent.so.5");
  EXPECT_NE(message.find("libpq-absent.so.5"), std::string::npos) << message;
  EXPECT_NE(message.find("Debian and Ubuntu: libpq5"), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

TEST(PostgresClient, ALibraryThatLacksAFunctionIsRefused) {
  const std::string message = message_of("libm.so.6");
  EXPECT_NE(message.find("libm.so.6 lacks PQcancel"), std::string::npos) << message;
}

TEST(PostgresClient, IsLoadedOnce) {
  EXPECT_EQ(&postgres_client(), &postgres_client());
  EXPECT_NE(postgres_client().connect_start, nullptr);
}

}  // namespace
}  // namespace sequela
