#pragma once

#include "sequela/core/json.h"
#include "sequela/meds/event_store.h"

namespace sequela {

// What records hold, in counts: evaluation.json's `data` (docs/formats.md) without its `splits`.
// One pass over the events.
Json store_facts(const EventStore& store);

}  // namespace sequela
