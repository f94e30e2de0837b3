#pragma once

#include <string>

#include "sequela/meds/event_store.h"
#include "sequela/meds/ingest.h"

namespace sequela {

// A data set decoded into `<folder>/.events`, which is gone when the object is.
class TemporaryStore {
 public:
  // The options and errors are ingest's (meds/ingest.h), but for the options' folder.
  TemporaryStore(IngestOptions options, const std::string& folder);
  ~TemporaryStore();
  TemporaryStore(const TemporaryStore&) = delete;
  TemporaryStore& operator=(const TemporaryStore&) = delete;

  EventStore open() const { return EventStore::open(folder_); }
  const std::string& folder() const { return folder_; }

 private:
  void remove();

  std::string folder_;
};

}  // namespace sequela
