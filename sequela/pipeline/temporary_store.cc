#include "sequela/pipeline/temporary_store.h"

#include <filesystem>
#include <utility>

#include "sequela/meds/ingest.h"

namespace sequela {

TemporaryStore::TemporaryStore(const std::string& meds, const std::string& folder, int num_threads,
                               int64_t memory_bytes, std::vector<std::string> text_properties)
    : folder_(folder + "/.events") {
  IngestOptions options;
  options.meds = meds;
  options.folder = folder_;
  options.text_properties = std::move(text_properties);
  options.num_threads = num_threads;
  options.memory_bytes = memory_bytes;
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
