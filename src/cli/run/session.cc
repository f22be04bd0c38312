#include "cli/run/session.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "io/descriptor.h"
#include "io/system.h"
#include "io/system_error.h"

namespace cloche::cli {
namespace {

constexpr std::array kForwarded = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGUSR1,
                                   SIGUSR2, SIGCONT, SIGALRM, SIGWINCH};

// Signals as something to be read, while it lives.
class SignalFile {
 public:
  SignalFile() {
    sigemptyset(&watched_);
    for (const int one : kForwarded) {
      sigaddset(&watched_, one);
    }
    pthread_sigmask(SIG_BLOCK, &watched_, &before_);
    file_ = io::Descriptor(::signalfd(-1, &watched_, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  ~SignalFile() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalFile(const SignalFile&) = delete;
  SignalFile& operator=(const SignalFile&) = delete;

  int get() const { return file_.get(); }
  std::optional<int> next() const {
    struct signalfd_siginfo what{};
    return ::read(file_.get(), &what, sizeof what) == sizeof what
               ? std::optional(static_cast<int>(what.ssi_signo))
               : std::nullopt;
  }

 private:
  sigset_t watched_{};
  sigset_t before_{};
  io::Descriptor file_;
};

// While it lives, what is typed comes as it is typed, unechoed, and Ctrl-C is a character.
class RawTerminal {
 public:
  RawTerminal() {
    if (::tcgetattr(STDIN_FILENO, &before_) == 0) {
      struct termios raw = before_;
      ::cfmakeraw(&raw);
      set_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
    }
  }
  ~RawTerminal() {
    if (set_) {
      ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
    }
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  struct termios before_{};
  bool set_ = false;
};

void copy_size(const io::Descriptor& console) {
  struct winsize size{};
  if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) {
    ::ioctl(console.get(), TIOCSWINSZ, &size);
  }
}

// Bytes between the person and the container's terminal. What it does not read yet waits, so that
// its output is never held up by its input.
class Session {
 public:
  Session(const runtime::Container& container, const SignalFile& signals)
      : container_(container), signals_(signals), ended_(container.watch()) {
    if (console().valid()) {
      ::fcntl(console().get(), F_SETFL, O_NONBLOCK);
      copy_size(console());
    }
  }

  Status run() {
    while (ended_.valid()) {
      const bool typing = input_open_ && typed_.empty() && console().valid();
      std::array<struct pollfd, 4> wanted = {
          {{ended_.get(), POLLIN, 0},
           {signals_.get(), POLLIN, 0},
           {typing ? STDIN_FILENO : -1, POLLIN, 0},
           {output_open_ ? console().get() : -1,
            static_cast<short>(typed_.empty() ? POLLIN : POLLIN | POLLOUT), 0}}};
      if (::poll(wanted.data(), wanted.size(), -1) < 0 && errno != EINTR) {
        return io::system_error(errno, "wait for", "the container");
      }
      while (const auto signal = signals_.next()) {
        TRY(take(*signal));
      }
      if (wanted[2].revents != 0) {
        read_input();
      }
      if (wanted[3].revents != 0) {
        write_console();
        read_console();
      }
      if (wanted[0].revents != 0) {
        break;
      }
    }
    read_console();  // its last words
    return {};
  }

 private:
  const io::Descriptor& console() const { return container_.console(); }

  Status take(int signal) {
    if (signal == SIGWINCH && console().valid()) {
      copy_size(console());
      return {};
    }
    return container_.signal(signal);
  }

  void read_input() {
    std::array<char, 4096> buffer{};
    const ssize_t size = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (size > 0) {
      typed_.assign(buffer.data(), static_cast<std::size_t>(size));
      write_console();
    } else if (size == 0 || errno != EINTR) {
      input_open_ = false;
    }
  }

  void write_console() {
    while (!typed_.empty()) {
      const ssize_t size = ::write(console().get(), typed_.data(), typed_.size());
      if (size <= 0) {
        return;
      }
      typed_.erase(0, static_cast<std::size_t>(size));
    }
  }

  void read_console() {
    std::array<char, 65536> buffer{};
    while (output_open_ && console().valid()) {
      const ssize_t size = ::read(console().get(), buffer.data(), buffer.size());
      if (size > 0) {
        const io::Descriptor out(::dup(STDOUT_FILENO));
        (void)io::write_all(out, std::string_view(buffer.data(), static_cast<std::size_t>(size)),
                            "standard output");
        continue;
      }
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
      }
      output_open_ = false;  // EIO: nobody has it open any more
    }
  }

  const runtime::Container& container_;
  const SignalFile& signals_;
  io::Descriptor ended_;
  std::string typed_;
  bool input_open_ = true;
  bool output_open_ = true;
};

}  // namespace

Result<runtime::ExitStatus> attend(const runtime::Engine& engine, runtime::ContainerSpec spec) {
  const SignalFile signals;
  spec.terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
  std::optional<RawTerminal> raw;
  if (spec.terminal) {
    const std::string kind = io::environment_variable("TERM");
    struct winsize size{};
    if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) {
      spec.terminal_rows = size.ws_row;
      spec.terminal_columns = size.ws_col;
    }
    spec.env.emplace("TERM", kind.empty() ? "xterm" : kind);
  } else {
    spec.in = STDIN_FILENO;
    spec.out = STDOUT_FILENO;
    spec.err = STDERR_FILENO;
  }
  runtime::Container container = TRY(engine.start(spec, runtime::Lifetime::kWithCaller));
  if (spec.terminal) {
    raw.emplace();
  }
  TRY(Session(container, signals).run());
  raw.reset();
  auto status = container.wait();
  TRY(std::move(container).remove());
  return status;
}

}  // namespace cloche::cli
