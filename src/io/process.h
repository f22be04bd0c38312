// Other programs, run without a shell.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"

namespace cloche::io {

struct Command {
  // The program first: a path, or a name that PATH finds: the one in `environment`, where that is
  // given.
  std::vector<std::string> argv;
  // "NAME=value", nothing else; without it this process's own.
  std::optional<std::vector<std::string>> environment = {};
  std::string directory = {};                               // where it starts; "": where we are
  std::string input = {};                                   // its standard input
  std::size_t output_limit_bytes = std::size_t{16} << 20U;  // of each stream; more is thrown away
  std::chrono::milliseconds time_limit = std::chrono::milliseconds::max();
};

struct ProcessResult {
  int exit_code = 0;  // 128 and the signal's number when a signal ended it, as in a shell
  int signal = 0;     // 0: it ended by itself
  std::string output;
  std::string errors;
  bool cut_off = false;  // one of the two was longer than the limit

  bool ok() const { return exit_code == 0; }
};

// Runs it and waits for its end. It has no descriptor of ours but the three streams, and a process
// group of its own, which is ended as a whole (SIGTERM, two seconds later SIGKILL) after a stop or
// when the time is over. Any thread may call.
// A program that fails is no error here: see exit_code. kNotFound: no such program; kPermission: it
// may not be run; kInvalid: it is of another machine, an argument holds a NUL; kCancelled: stopped;
// kUnavailable: the time was over, or the machine cannot start any.
Result<ProcessResult> run_process(const Command& command, const std::stop_token& stop = {});

}  // namespace cloche::io
