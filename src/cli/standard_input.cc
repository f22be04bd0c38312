#include "cli/standard_input.h"

#include <array>
#include <cerrno>

#include <unistd.h>

#include "io/system_error.h"

namespace cloche::cli {

// One byte more than any parser takes, so that each still says for itself that a text is too large.
Status StandardInput::fetch() {
  if (text_) {
    return {};
  }
  std::string text;
  std::array<char, 65536> buffer{};
  while (text.size() <= kMaxTextBytes) {
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return io::system_error(errno, "read", "standard input");
    }
    if (count == 0) {
      break;
    }
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  text_ = std::move(text);
  return {};
}

Result<std::string> StandardInput::read(const std::string& path, std::size_t limit_bytes) {
  if (path != kName) {
    return disk_.read(path, limit_bytes);
  }
  TRY(fetch());
  if (text_->size() > limit_bytes) {
    return fail(ErrorKind::kInvalid, "standard input is larger than {} bytes", limit_bytes);
  }
  return *text_;
}

Result<std::vector<FileEntry>> StandardInput::list(const std::string& directory) {
  return disk_.list(directory);
}

Result<Digest> StandardInput::digest(const std::string& path) {
  if (path != kName) {
    return disk_.digest(path);
  }
  TRY(fetch());
  return Digest::of(*text_);
}

Result<FileKind> StandardInput::kind(const std::string& path) {
  return path == kName ? Result<FileKind>(FileKind::kFile) : disk_.kind(path);
}

std::string input_path(const std::string& path) {
  return path == "-" ? StandardInput::kName : path;
}

}  // namespace cloche::cli
