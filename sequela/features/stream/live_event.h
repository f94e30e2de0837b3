#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "sequela/core/time.h"

namespace sequela {

// A value of a live event, by the name of its property (numeric_value, text_value, ...): a number,
// or a text.
struct LiveValue {
  std::string_view property;
  std::optional<float> number;
  std::string_view text;  // empty = none
};

// One event as it comes in. Refers to the caller's memory.
struct LiveEvent {
  int64_t subject_id = 0;
  int64_t time_us = kNoTime;  // kNoTime = static
  std::string_view code;
  std::span<const LiveValue> values;
};

// What an event did to its patient's sequence of tokens.
enum class EventOutcome : uint8_t {
  new_token,       // it is the newest token
  grew_birth_bag,  // it went into the birth bag, token 0
  nothing_new,     // its day has seen all its codes, or it has none that the dictionary knows
  nothing_yet,     // the same, and the patient has no token so far (older, flat dictionaries only)
};

}  // namespace sequela
