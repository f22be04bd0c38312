#include "cli/interrupt.h"

#include <csignal>

#include <unistd.h>

namespace cloche::cli {

namespace {

sigset_t watched() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGUSR2);  // the end of the waiter: nobody else sends it to one thread
  return set;
}

}  // namespace

// Blocked in every thread, so that only the waiter takes them.
Interrupt::Interrupt() {
  const sigset_t set = watched();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  waiter_ = std::jthread([this] {
    const sigset_t wanted = watched();
    int signal = 0;
    while (sigwait(&wanted, &signal) == 0 && signal != SIGUSR2) {
      if (!source_.request_stop()) {
        _exit(128 + signal);
      }
    }
  });
}

Interrupt::~Interrupt() {
  pthread_kill(waiter_.native_handle(), SIGUSR2);
  waiter_.join();
  const sigset_t set = watched();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace cloche::cli
