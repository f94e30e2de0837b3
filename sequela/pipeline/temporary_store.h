#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/meds/event_store.h"

namespace sequela {

// A data set decoded into `<folder>/.events`, which is gone when the object is.
class TemporaryStore {
 public:
  // meds: MEDS data set or meds_reader database. text_properties and the errors are ingest's
  // (meds/ingest.h).
  TemporaryStore(const std::string& meds, const std::string& folder, int num_threads,
                 int64_t memory_bytes, std::vector<std::string> text_properties = {});
  ~TemporaryStore();
  TemporaryStore(const TemporaryStore&) = delete;
  TemporaryStore& operator=(const TemporaryStore&) = delete;

  EventStore open() const { return EventStore::open(folder_); }

 private:
  void remove();

  std::string folder_;
};

}  // namespace sequela
