#include "package/conda/selector.h"

#include <algorithm>
#include <array>

#include "core/text.h"

namespace cloche::conda {
namespace {

constexpr std::size_t kMaxLength = 256;
constexpr int kMaxDepth = 16;

// conda-build's rules (metadata.py, ns_cfg): a variable is an operating system, an architecture, or
// a named group of platforms.
bool holds(std::string_view variable, std::string_view platform) {
  const std::size_t dash = platform.find('-');
  const std::string_view os = platform.substr(0, dash);
  const std::string_view arch =
      dash == std::string_view::npos ? std::string_view() : platform.substr(dash + 1);
  if (variable == "unix") {
    return os == "linux" || os == "osx" || os == "emscripten";
  }
  if (variable == "x86") {
    return arch == "32" || arch == "64";
  }
  if (variable == "x86_64" || variable == "x64") {
    return arch == "64";
  }
  if (variable == "arm") {
    return os == "linux" && arch.starts_with("arm");
  }
  struct Group {
    std::string_view variable, platform;
  };
  static constexpr std::array<Group, 5> kGroups = {{{"linux32", "linux-32"},
                                                    {"linux64", "linux-64"},
                                                    {"osx64", "osx-64"},
                                                    {"win32", "win-32"},
                                                    {"win64", "win-64"}}};
  const auto* group = std::ranges::find(kGroups, variable, &Group::variable);
  if (group != kGroups.end()) {
    return platform == group->platform;
  }
  return variable == os || variable == arch;
}

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Reads, evaluates and prints an expression in one pass: or < and < not, as in Python.
class Reader {
 public:
  Reader(std::string_view text, std::string_view platform) : text_(text), platform_(platform) {}

  Result<bool> whole() {
    if (text_.size() > kMaxLength) {
      return refuse("is longer than 256 characters");
    }
    next();
    const bool value = TRY(any_of(0));
    if (!token_.empty()) {
      return refuse("has '" + printable(token_) + "' where it should end");
    }
    return value;
  }

  std::string take_canonical() { return std::move(canonical_); }

 private:
  static Error refuse(const std::string& why) {
    return fail(ErrorKind::kInvalid, "the selector {}", why)
        .with_hint(
            "write platform names joined by and, or, not: [linux], [osx and arm64], [not win]");
  }

  void next() {
    text_ = trim_left(text_);
    std::size_t length = 0;
    while (length < text_.size() && is_word_char(text_[length])) {
      ++length;
    }
    token_ = text_.substr(0, std::max<std::size_t>(length, text_.empty() ? 0 : 1));
    text_.remove_prefix(token_.size());
  }

  void accept() {
    const bool tight = canonical_.empty() || canonical_.back() == '(' || token_ == ")";
    canonical_ += tight ? "" : " ";
    canonical_ += token_;
    next();
  }

  Result<bool> any_of(int depth) {
    bool value = TRY(all_of(depth));
    while (token_ == "or") {
      accept();
      const bool right = TRY(all_of(depth));
      value = value || right;
    }
    return value;
  }

  Result<bool> all_of(int depth) {
    bool value = TRY(one(depth));
    while (token_ == "and") {
      accept();
      const bool right = TRY(one(depth));
      value = value && right;
    }
    return value;
  }

  Result<bool> one(int depth) {
    if (depth > kMaxDepth) {
      return refuse("is nested too deep");
    }
    if (token_ == "not") {
      accept();
      return !TRY(one(depth + 1));
    }
    if (token_ == "(") {
      accept();
      const bool value = TRY(any_of(depth + 1));
      if (token_ != ")") {
        return refuse("misses a ')'");
      }
      accept();
      return value;
    }
    return variable();
  }

  Result<bool> variable() {
    if (token_.empty()) {
      return refuse("ends where a platform name should stand");
    }
    if (std::ranges::find(selector_variables(), token_) == selector_variables().end()) {
      const std::string_view near = nearest(token_, selector_variables());
      Error error = refuse("has '" + printable(token_) + "', which is no platform");
      return near.empty() ? error
                          : std::move(error).with_hint("did you mean " + std::string(near) + "?");
    }
    const bool value = holds(token_, platform_);
    accept();
    return value;
  }

  std::string_view text_;
  std::string_view platform_;
  std::string_view token_;
  std::string canonical_;
};

}  // namespace

std::span<const std::string_view> selector_variables() {
  static constexpr std::array<std::string_view, 28> kVariables = {
      "linux",   "osx",    "win",     "unix",   "linux64", "osx64",      "win64",
      "x86_64",  "arm64",  "aarch64", "armv6l", "armv7l",  "ppc64le",    "s390x",
      "x86",     "x64",    "linux32", "win32",  "arm",     "ppc64",      "riscv32",
      "riscv64", "wasm32", "freebsd", "zos",    "wasi",    "emscripten", "loongarch64"};
  return kVariables;
}

Result<std::string> canonical_selector(std::string_view text) {
  Reader reader(text, "");
  TRY(reader.whole());
  return reader.take_canonical();
}

bool selector_matches(std::string_view selector, std::string_view platform) {
  if (trim(selector).empty()) {
    return true;
  }
  return Reader(selector, platform).whole().value_or(false);
}

}  // namespace cloche::conda
