#pragma once

namespace sequela {

// Makes SIGINT and SIGTERM ask for an orderly stop; a second one ends the process at once.
void install_signal_handlers();

// The signal that asked for a stop, or 0. Cheap enough for inner loops.
int stop_signal();

// Throws Interrupted if a stop was asked for. Call it between units of work.
void throw_if_stopped();

}  // namespace sequela
