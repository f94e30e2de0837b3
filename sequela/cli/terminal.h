#pragma once

#include <string>

namespace sequela {

// Sends the library's log and progress to stderr: on a terminal a progress bar with rate and time
// left, otherwise a plain line now and then. `quiet` leaves only errors.
void show_messages(const std::string& log_level, bool quiet);

// "1.23 M"; "2 min 5 s".
std::string short_number(double value);
std::string duration_text(double seconds);

}  // namespace sequela
