#include "cli/terminal.h"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "io/system.h"
#include "io/system_error.h"

namespace cloche::cli {
namespace {

// 0, or the errno of the write that failed.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      return errno;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

int terminal_width(int descriptor) {
  constexpr int kUsual = 80;
  constexpr int kNarrowest = 40;  // below, cutting would leave nothing to read
  const std::string columns = io::environment_variable("COLUMNS");
  int width = 0;
  if (std::from_chars(columns.data(), columns.data() + columns.size(), width).ec == std::errc() &&
      width > 0) {
    return std::max(width, kNarrowest);
  }
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return std::max<int>(size.ws_col, kNarrowest);
  }
  return kUsual;
}

Style style_of(int descriptor) {
  if (::isatty(descriptor) == 0) {
    return {};
  }
  const bool plain =
      !io::environment_variable("NO_COLOR").empty() || io::environment_variable("TERM") == "dumb";
  return {.color = !plain, .width = terminal_width(descriptor)};
}

}  // namespace

Status SystemTerminal::out(std::string_view text) {
  const int problem = write_all(STDOUT_FILENO, text);
  if (problem == EPIPE) {
    return fail(ErrorKind::kCancelled, "the reader of standard output has gone");
  }
  if (problem != 0) {
    return io::system_error(problem, "write", "standard output");
  }
  return {};
}

void SystemTerminal::err(std::string_view text) { write_all(STDERR_FILENO, text); }

Style SystemTerminal::out_style() const { return style_of(STDOUT_FILENO); }

Style SystemTerminal::err_style() const { return style_of(STDERR_FILENO); }

std::string colored(std::string_view text, std::string_view attribute, const Style& style) {
  return style.color ? fmt::format("\x1b[{}m{}\x1b[0m", attribute, text) : std::string(text);
}

}  // namespace cloche::cli
