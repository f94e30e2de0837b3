#pragma once

namespace sequela {

// Makes SIGINT and SIGTERM ask for an orderly stop; a second one ends the process at once.
void install_signal_handlers();

// Asks for a stop as if `signal` had come: for programs that take their signals themselves, such as
// a Python interpreter. Safe from any thread and from a signal handler.
void request_stop(int signal);

// Forgets a request, so that the next job can run.
void reset_stop();

// The signal that asked for a stop, or 0. Cheap enough for inner loops.
int stop_signal();

// Throws Interrupted if a stop was asked for. Call it between units of work.
void throw_if_stopped();

}  // namespace sequela
