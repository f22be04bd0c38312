// Walks over one requirement and says where it went wrong. For the parsers of this folder.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "core/credentials.h"
#include "core/result.h"

namespace cloche::pypi {

// The view's owner must outlive it. Errors stand at a byte of the text, as column of line 1; their
// excerpt is the text, passwords starred.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::string_view text() const { return text_; }
  std::string_view rest() const { return text_.substr(at_); }
  std::size_t at() const { return at_; }
  bool done() const { return at_ == text_.size(); }
  char peek() const { return done() ? '\0' : text_[at_]; }
  void move_to(std::size_t at) { at_ = at; }

  bool take(std::string_view word) {
    const bool found = rest().starts_with(word);
    at_ += found ? word.size() : 0;
    return found;
  }

  template <class Predicate>
  std::string_view take_while(Predicate predicate) {
    const std::size_t begin = at_;
    while (!done() && predicate(text_[at_])) {
      ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }

  void skip_blanks() {
    take_while([](char c) { return c == ' ' || c == '\t'; });
  }

  template <class... Args>
  Error error_at(std::size_t at, fmt::format_string<Args...> format, Args&&... args) const {
    return fail(ErrorKind::kInvalid, format, std::forward<Args>(args)...)
        .with_location({"", 1, static_cast<int>(at) + 1}, star_passwords(text_));
  }
  template <class... Args>
  Error error(fmt::format_string<Args...> format, Args&&... args) const {
    return error_at(at_, format, std::forward<Args>(args)...);
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace cloche::pypi
