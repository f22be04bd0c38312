// A chain of stages, each a pass of conda's over the file: one for each encoding, and for text one
// for the shebang. conda passes over the whole file once for each; here every stage holds back only
// what a match may still begin in, so a file of any size needs little memory.
#include "source/conda/prefix_replacement.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <ranges>
#include <utility>
#include <vector>

namespace cloche::source {
namespace {

constexpr std::size_t kMaxShebang = 127;  // Linux before 5.1 reads no more; conda keeps to it
constexpr std::size_t kMaxFirstLine = std::size_t{64} * 1024;
constexpr std::size_t kMaxString = std::size_t{64} << 20U;

enum class Encoding { kUtf8, kUtf16Le, kUtf16Be, kUtf32Le, kUtf32Be };
constexpr std::array kEncodings = {Encoding::kUtf8, Encoding::kUtf16Le, Encoding::kUtf16Be,
                                   Encoding::kUtf32Le, Encoding::kUtf32Be};

std::size_t unit_bytes(Encoding encoding) {
  switch (encoding) {
    case Encoding::kUtf8:
      return 1;
    case Encoding::kUtf16Le:
    case Encoding::kUtf16Be:
      return 2;
    case Encoding::kUtf32Le:
    case Encoding::kUtf32Be:
      break;
  }
  return 4;
}

// Code points; nothing when the text is no UTF-8.
std::optional<std::u32string> decode(std::string_view text) {
  std::u32string out;
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text[0]);
    const std::size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (size > text.size() || (first >= 0x80 && first < 0xc0)) {
      return std::nullopt;
    }
    char32_t point = size == 1 ? first : first & (0xffU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
      point = point << 6U | (static_cast<unsigned char>(text[i]) & 0x3fU);
    }
    out += point;
    text.remove_prefix(size);
  }
  return out;
}

void put(std::string& out, std::uint32_t unit, std::size_t bytes, bool little) {
  for (std::size_t i = 0; i < bytes; ++i) {
    const std::size_t shift = 8 * (little ? i : bytes - 1 - i);
    out += static_cast<char>(unit >> shift & 0xffU);
  }
}

std::optional<std::string> encode(std::string_view text, Encoding encoding) {
  if (encoding == Encoding::kUtf8) {
    return std::string(text);
  }
  const std::optional<std::u32string> points = decode(text);
  if (!points) {
    return std::nullopt;
  }
  const std::size_t bytes = unit_bytes(encoding);
  const bool little = encoding == Encoding::kUtf16Le || encoding == Encoding::kUtf32Le;
  std::string out;
  for (const char32_t point : *points) {
    if (bytes == 2 && point >= 0x10000) {
      put(out, 0xd800U + ((point - 0x10000) >> 10U), bytes, little);
      put(out, 0xdc00U + ((point - 0x10000) & 0x3ffU), bytes, little);
    } else {
      put(out, point, bytes, little);
    }
  }
  return out;
}

// Finds a pattern in time linear in the text.
class Finder {
 public:
  Finder(std::string pattern, Encoding encoding)
      : pattern_(std::move(pattern)), wide_(encoding != Encoding::kUtf8) {}

  std::size_t size() const { return pattern_.size(); }
  const std::string& pattern() const { return pattern_; }

  std::size_t find(std::string_view text, std::size_t from) const {
    if (wide_ && !may_hold_wide_text(text.substr(from))) {
      return std::string_view::npos;
    }
    const void* found =
        ::memmem(text.data() + from, text.size() - from, pattern_.data(), pattern_.size());
    return found == nullptr
               ? std::string_view::npos
               : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
  }

 private:
  // memmem is slow where a wide pattern meets long runs of zeros, which binaries are full of. Every
  // wide encoding of "/opt" has a '/' with a NUL beside it, which hardly any file has otherwise.
  bool may_hold_wide_text(std::string_view text) const {
    const std::size_t first = pattern_.find_first_not_of('\0');
    if (first == std::string::npos) {
      return true;
    }
    const char* at = text.data();
    const char* const end = text.data() + text.size();
    while (at < end) {
      at = static_cast<const char*>(
          std::memchr(at, pattern_[first], static_cast<std::size_t>(end - at)));
      if (at == nullptr) {
        return false;
      }
      if ((at + 1 < end && at[1] == '\0') || (at > text.data() && at[-1] == '\0')) {
        return true;
      }
      ++at;
    }
    return false;
  }

  std::string pattern_;
  bool wide_;
};

std::string replaced(std::string_view text, const Finder& what, std::string_view by) {
  std::string out;
  std::size_t from = 0;
  for (std::size_t at = what.find(text, 0); at != std::string_view::npos;
       at = what.find(text, from)) {
    out += text.substr(from, at - from);
    out += by;
    from = at + what.size();
  }
  out += text.substr(from);
  return out;
}

}  // namespace

class PrefixReplacement::Stage {
 public:
  virtual ~Stage() = default;
  virtual Status append(std::string_view piece) = 0;
  virtual Status finish() = 0;
};

namespace {

using Stage = PrefixReplacement::Stage;
using NextStage = std::unique_ptr<Stage>;

class OutputStage : public Stage {
 public:
  explicit OutputStage(PrefixReplacement::Output output) : output_(std::move(output)) {}
  Status append(std::string_view piece) override {
    return piece.empty() ? Status() : output_(piece);
  }
  Status finish() override { return {}; }

 private:
  PrefixReplacement::Output output_;
};

// Every occurrence of one pattern replaced.
class TextStage : public Stage {
 public:
  TextStage(Finder what, std::string by, NextStage next)
      : what_(std::move(what)), by_(std::move(by)), next_(std::move(next)) {}

  Status append(std::string_view piece) override {
    if (!held_.empty()) {
      held_ += piece;
      piece = held_;
    }
    std::size_t from = 0;
    for (std::size_t at = what_.find(piece, 0); at != std::string_view::npos;
         at = what_.find(piece, from)) {
      TRY(next_->append(piece.substr(from, at - from)));
      TRY(next_->append(by_));
      from = at + what_.size();
    }
    // A match may begin in the last bytes.
    const std::size_t safe = piece.size() - std::min(piece.size() - from, what_.size() - 1);
    TRY(next_->append(piece.substr(from, safe - from)));
    held_ = std::string(piece.substr(safe));
    return {};
  }

  Status finish() override {
    TRY(next_->append(held_));
    return next_->finish();
  }

 private:
  Finder what_;
  std::string by_;
  NextStage next_;
  std::string held_;
};

// What concerns the first line, which conda looks at in two ways.
class FirstLineStage : public Stage {
 public:
  // Receives the first line without its end, and whether there is an end; makes the stage through
  // which the whole text, that line included, goes on.
  using Decide = std::function<NextStage(std::string_view line, bool ended, NextStage next)>;

  FirstLineStage(bool shebangs_only, Decide decide, NextStage next)
      : shebangs_only_(shebangs_only), decide_(std::move(decide)), next_(std::move(next)) {}

  Status append(std::string_view piece) override {
    if (decided_) {
      return next_->append(piece);
    }
    const std::size_t end = piece.find('\n');
    held_ += piece;
    if (end == std::string_view::npos && held_.size() <= kMaxFirstLine && may_matter()) {
      return {};
    }
    return decide();
  }

  Status finish() override {
    if (!decided_) {
      TRY(decide());
    }
    return next_->finish();
  }

 private:
  bool may_matter() const {
    return !shebangs_only_ || std::string_view("#!").starts_with(held_.substr(0, 2));
  }

  // Looks at the same bytes however the pieces were cut.
  Status decide() {
    decided_ = true;
    const std::string_view start = std::string_view(held_).substr(0, kMaxFirstLine);
    const std::size_t end = start.find('\n');
    next_ = decide_(start.substr(0, end), end != std::string_view::npos, std::move(next_));
    return next_->append(std::exchange(held_, {}));
  }

  bool shebangs_only_;
  Decide decide_;
  NextStage next_;
  std::string held_;
  bool decided_ = false;
};

// Within each string that ends with a NUL, every occurrence replaced and the string padded.
class BinaryStage : public Stage {
 public:
  BinaryStage(Finder what, std::string by, std::size_t zeros, NextStage next)
      : what_(std::move(what)), by_(std::move(by)), zeros_(zeros, '\0'), next_(std::move(next)) {}

  Status append(std::string_view piece) override {
    if (held_.empty()) {
      return take(piece);
    }
    held_ += piece;
    if (within_string_ && held_.find(zeros_, searched_) == std::string::npos) {
      return hold_string(std::move(held_));
    }
    const std::string all = std::exchange(held_, {});
    return take(all);
  }

  Status finish() override {
    TRY(next_->append(held_));  // a string without an end stays as it is
    return next_->finish();
  }

 private:
  Status take(std::string_view text) {
    std::size_t from = 0;
    while (true) {
      const std::size_t at = within_string_ ? from : what_.find(text, from);
      if (at == std::string_view::npos) {
        const std::size_t safe = text.size() - std::min(text.size() - from, what_.size() - 1);
        TRY(next_->append(text.substr(from, safe - from)));
        held_ = std::string(text.substr(safe));
        return {};
      }
      TRY(next_->append(text.substr(from, at - from)));
      const std::size_t end = text.find(zeros_, at + std::max(searched_, what_.size()));
      if (end == std::string_view::npos) {
        return hold_string(std::string(text.substr(at)));
      }
      within_string_ = false;
      searched_ = 0;
      from = end + zeros_.size();
      TRY(replace_in(text.substr(at, from - at)));
    }
  }

  // The string goes on in the next piece.
  Status hold_string(std::string text) {
    if (text.size() > kMaxString) {
      return fail(ErrorKind::kUnsupported, "a string with the placeholder is longer than {} bytes",
                  kMaxString);
    }
    within_string_ = true;
    searched_ = std::max(what_.size(), text.size() - (zeros_.size() - 1));
    held_ = std::move(text);
    return {};
  }

  Status replace_in(std::string_view text) {
    if (by_.size() > what_.size()) {
      return fail(ErrorKind::kInvalid,
                  "the prefix has {} bytes, the placeholder in this binary file only {}",
                  by_.size(), what_.size())
          .with_hint("install into a directory with a shorter path");
    }
    const std::string changed = replaced(text, what_, by_);
    TRY(next_->append(changed));
    return next_->append(std::string(text.size() - changed.size(), '\0'));
  }

  Finder what_;
  std::string by_;
  std::string zeros_;
  NextStage next_;
  std::string held_;
  bool within_string_ = false;  // held_ begins with an occurrence
  std::size_t searched_ = 0;    // of held_, for the NUL
};

// The line as "#!", an interpreter and its arguments; nothing when it is no shebang.
struct Shebang {
  std::string_view directory;  // of the interpreter, "\ " for blanks
  std::string_view name;
  std::string_view arguments;  // with the blank before them
};

std::optional<Shebang> parse_shebang(std::string_view line) {
  if (!line.starts_with("#!")) {
    return std::nullopt;
  }
  std::size_t begin = 2;
  while (begin < line.size() && line[begin] == ' ') {
    ++begin;
  }
  if (begin == line.size() || line[begin] != '/') {
    return std::nullopt;
  }
  std::size_t end = begin;
  while (end < line.size()) {
    if (line.substr(end).starts_with("\\ ")) {
      end += 2;
    } else if (line[end] == ' ' || line[end] == '\t' || line[end] == '\r') {
      break;
    } else {
      ++end;
    }
  }
  const std::string_view interpreter = line.substr(begin, end - begin);
  const std::size_t slash = interpreter.rfind('/');
  return Shebang{interpreter.substr(0, slash), interpreter.substr(slash + 1), line.substr(end)};
}

// The line that takes the place of a shebang that the kernel would not read; nothing when it may
// stay.
std::optional<std::string> shorter_shebang(std::string_view line) {
  const std::optional<Shebang> shebang = parse_shebang(line);
  if (!shebang ||
      (line.size() <= kMaxShebang && shebang->directory.find("\\ ") == std::string_view::npos)) {
    return std::nullopt;
  }
  std::string out = "#!/usr/bin/env ";
  out += shebang->name;
  out += shebang->arguments;
  return out;
}

// conda replaces the line wherever it stands in the file.
NextStage shebang_stage(NextStage output) {
  return std::make_unique<FirstLineStage>(
      true,
      [](std::string_view line, bool, NextStage next) -> NextStage {
        const std::optional<std::string> shorter = shorter_shebang(line);
        if (!shorter) {
          return next;
        }
        return std::make_unique<TextStage>(Finder(std::string(line), Encoding::kUtf8), *shorter,
                                           std::move(next));
      },
      std::move(output));
}

// A prefix with blanks is escaped in the first line, by which shebang_stage() will know it.
NextStage escaping_stage(std::string placeholder, std::string prefix, NextStage rest) {
  return std::make_unique<FirstLineStage>(
      false,
      [placeholder = std::move(placeholder), prefix = std::move(prefix)](
          std::string_view line, bool ended, NextStage next) -> NextStage {
        const Finder marked("#!" + placeholder, Encoding::kUtf8);
        if (!ended || marked.find(line, 0) == std::string_view::npos) {
          return next;
        }
        const std::string escaped = "#!" + replaced(prefix, Finder(" ", Encoding::kUtf8), "\\ ");
        // Only this line: a stage for one line, then the text goes on as it is.
        class OneLine : public Stage {
         public:
          OneLine(Finder what, std::string by, std::size_t size, NextStage after)
              : what_(std::move(what)), by_(std::move(by)), size_(size), after_(std::move(after)) {}
          Status append(std::string_view piece) override {
            if (size_ > 0) {  // the first piece holds the whole line
              TRY(after_->append(replaced(piece.substr(0, size_), what_, by_)));
              piece.remove_prefix(std::exchange(size_, 0));
            }
            return after_->append(piece);
          }
          Status finish() override { return after_->finish(); }

         private:
          Finder what_;
          std::string by_;
          std::size_t size_;
          NextStage after_;
        };
        return std::make_unique<OneLine>(marked, escaped, line.size(), std::move(next));
      },
      std::move(rest));
}

NextStage make_stages(FileMode mode, std::string_view placeholder, std::string_view prefix,
                      PrefixReplacement::Output output) {
  NextStage stage = std::make_unique<OutputStage>(std::move(output));
  if (mode == FileMode::kText) {
    stage = shebang_stage(std::move(stage));
  }
  if (placeholder.empty()) {
    return stage;
  }
  for (const Encoding encoding : std::views::reverse(kEncodings)) {
    const std::optional<std::string> what = encode(placeholder, encoding);
    const std::optional<std::string> by = encode(prefix, encoding);
    if (!what || !by) {
      continue;
    }
    Finder finder(*what, encoding);
    if (mode == FileMode::kText) {
      stage = std::make_unique<TextStage>(std::move(finder), *by, std::move(stage));
    } else {
      stage = std::make_unique<BinaryStage>(std::move(finder), *by, unit_bytes(encoding),
                                            std::move(stage));
    }
  }
  if (mode == FileMode::kText && prefix.find(' ') != std::string_view::npos) {
    stage = escaping_stage(std::string(placeholder), std::string(prefix), std::move(stage));
  }
  return stage;
}

}  // namespace

PrefixReplacement::PrefixReplacement(FileMode mode, std::string_view placeholder,
                                     std::string_view prefix, Output output)
    : first_(make_stages(mode, placeholder, prefix, std::move(output))) {}

PrefixReplacement::~PrefixReplacement() = default;
PrefixReplacement::PrefixReplacement(PrefixReplacement&&) noexcept = default;

Status PrefixReplacement::append(std::string_view piece) { return first_->append(piece); }

Status PrefixReplacement::finish() { return first_->finish(); }

Result<std::string> replace_prefix(FileMode mode, std::string_view content,
                                   std::string_view placeholder, std::string_view prefix) {
  std::string out;
  PrefixReplacement replacement(mode, placeholder, prefix, [&](std::string_view piece) -> Status {
    out += piece;
    return {};
  });
  TRY(replacement.append(content));
  TRY(replacement.finish());
  return out;
}

std::string shorten_shebang(std::string_view text) {
  Result<std::string> out = replace_prefix(FileMode::kText, text, "", "");
  return out ? std::move(*out) : std::string(text);
}

}  // namespace cloche::source
