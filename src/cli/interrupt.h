// Ctrl-C as a stop token, so that long work ends in order: what it made is removed, what is done
// stays done.
#pragma once

#include <stop_token>
#include <thread>

namespace cloche::cli {

// While it lives, SIGINT and SIGTERM request a stop; a second one ends the process at once. To be
// made before any other thread, once in a process.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::jthread waiter_;
};

}  // namespace cloche::cli
