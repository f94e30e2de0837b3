#pragma once

#include <string>

#include "sequela/meds/event_store.h"
#include "sequela/meds/ingest.h"

namespace sequela {

// The store of a MEDS data set, made in `folder`.
inline EventStore ingest_and_open(const std::string& meds, const std::string& folder) {
  IngestOptions options;
  options.meds = meds;
  options.folder = folder;
  ingest(options);
  return EventStore::open(folder);
}

}  // namespace sequela
