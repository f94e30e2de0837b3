#include "sequela/pipeline/temporary_store.h"

#include <filesystem>

namespace sequela {

TemporaryStore::TemporaryStore(IngestOptions options, const std::string& folder)
    : folder_(folder + "/.events") {
  options.folder = folder_;
  try {
    ingest(options);
  } catch (...) {
    remove();
    throw;
  }
}

TemporaryStore::~TemporaryStore() {
  remove();
}

void TemporaryStore::remove() {
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
}

}  // namespace sequela
