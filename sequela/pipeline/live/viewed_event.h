#pragma once

#include <array>
#include <optional>

#include "sequela/features/stream/live_event.h"
#include "sequela/pipeline/live/event_source.h"

namespace sequela {

// An event as the embedder takes it, beside its values. Refers to the event.
struct ViewedEvent {
  std::array<LiveValue, 2> values;
  size_t num_values = 0;

  explicit ViewedEvent(const OwnedEvent& event) {
    if (event.number) values[num_values++] = {"numeric_value", event.number, {}};
    if (!event.text.empty()) values[num_values++] = {"text_value", std::nullopt, event.text};
  }
};

}  // namespace sequela
