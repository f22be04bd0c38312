// A container at this process's terminal or streams.
#pragma once

#include "core/result.h"
#include "runtime/engine.h"

namespace cloche::cli {

// Runs it as if its command were this process: where standard input and output are a terminal, it
// gets one of its own of the same size, and what is typed goes to it untouched; else the three
// streams are its own. Signals go to it, not to us. Ends when it does.
// To be called when the process has no other threads.
Result<runtime::ExitStatus> attend(const runtime::Engine& engine, runtime::ContainerSpec spec);

}  // namespace cloche::cli
