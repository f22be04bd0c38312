// What a container's first process (init/main.cc) and its keeper tell each other. Without anything
// but the C library.
#pragma once

#include <csignal>

namespace cloche::runtime {

inline constexpr const char* kInitPath =
    "/dev/init";  // in a file system that is always the container's
inline constexpr int kReportFd = 3;

struct InitReport {
  enum class Kind : int {
    kStarted,  // value: 0, or the errno why the command was not started
    kEnded,    // value: the command's status as waitpid(2) gives it
  };
  Kind kind = Kind::kStarted;
  int value = 0;
};

// A real-time signal, whose value is the number of the signal to pass on, and kToEveryone for all
// processes of the container.
inline int keeper_signal() { return SIGRTMIN + 3; }
inline constexpr int kToEveryone = 0x100;

}  // namespace cloche::runtime
