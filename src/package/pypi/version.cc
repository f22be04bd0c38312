#include "package/pypi/version.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include "core/ascii.h"
#include "core/text.h"

namespace cloche::pypi {
namespace {

constexpr std::size_t kMaxBytes = 1024;

bool is_separator(char c) { return c == '.' || c == '-' || c == '_'; }
bool is_local_char(char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); }

std::string_view without_zeros(std::string_view digits) {
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
  return digits;
}

// Both without leading zeros.
std::strong_ordering compare_numbers(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? a.size() <=> b.size() : a <=> b;
}

// The letters of a suffix and what they are normalised to.
struct Word {
  std::string_view spelling;
  std::string_view normal;
};
constexpr std::array<Word, 8> kPreWords = {{{"alpha", "a"},
                                            {"beta", "b"},
                                            {"preview", "rc"},
                                            {"pre", "rc"},
                                            {"rc", "rc"},
                                            {"a", "a"},
                                            {"b", "b"},
                                            {"c", "rc"}}};
constexpr std::array<Word, 3> kPostWords = {{{"post", ""}, {"rev", ""}, {"r", ""}}};
constexpr std::array<Word, 1> kDevWords = {{{"dev", ""}}};

// Walks over a version in lower case.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }

  bool take(char c) {
    const bool found = rest_.starts_with(c);
    rest_.remove_prefix(found ? 1 : 0);
    return found;
  }

  // "" when no digit stands here.
  std::string_view digits() {
    const std::size_t end = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    const std::string_view out = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return out;
  }

  // "N!", or nothing.
  std::optional<std::string> epoch() {
    Scanner ahead = *this;
    const std::string_view digits = ahead.digits();
    if (digits.empty() || !ahead.take('!')) {
      return std::nullopt;
    }
    *this = ahead;
    return std::string(without_zeros(digits));
  }

  // "." and digits, or nothing.
  std::string_view next_release() {
    Scanner ahead = *this;
    if (!ahead.take('.')) {
      return {};
    }
    const std::string_view digits = ahead.digits();
    if (!digits.empty()) {
      *this = ahead;
    }
    return digits;
  }

  // [separator] word [separator] [digits]: the word and the number (0 when none is written).
  std::optional<std::pair<std::string_view, std::string>> suffix(std::span<const Word> words) {
    Scanner ahead = *this;
    ahead.take_separator();
    const auto word = std::ranges::find_if(
        words, [&](const Word& one) { return ahead.rest_.starts_with(one.spelling); });
    if (word == words.end()) {
      return std::nullopt;
    }
    ahead.rest_.remove_prefix(word->spelling.size());
    ahead.take_separator();  // even where no number follows: PEP 440's expression takes "1.0a."
    const std::string_view digits = ahead.digits();
    *this = ahead;
    return std::pair(word->normal, std::string(digits.empty() ? "0" : without_zeros(digits)));
  }

  // "-N", an implicit post release.
  std::optional<std::string> implicit_post() {
    Scanner ahead = *this;
    if (!ahead.take('-')) {
      return std::nullopt;
    }
    const std::string_view digits = ahead.digits();
    if (digits.empty()) {
      return std::nullopt;
    }
    *this = ahead;
    return std::string(without_zeros(digits));
  }

  // The words of a local version, to the end; empty when it is malformed.
  std::vector<std::string> local() {
    std::vector<std::string> out;
    do {
      const auto* const stop = std::ranges::find_if_not(rest_, is_local_char);
      const std::string_view word = rest_.substr(0, static_cast<std::size_t>(stop - rest_.begin()));
      if (word.empty()) {
        return {};
      }
      out.emplace_back(std::ranges::all_of(word, is_digit) ? without_zeros(word) : word);
      rest_.remove_prefix(word.size());
    } while (take_separator());
    return out;
  }

 private:
  bool take_separator() {
    const bool found = !rest_.empty() && is_separator(rest_.front());
    rest_.remove_prefix(found ? 1 : 0);
    return found;
  }

  std::string_view rest_;
};

// Missing numbers count as zero: 1.0 == 1.0.0.
std::strong_ordering compare_releases(std::span<const std::string> a,
                                      std::span<const std::string> b) {
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const auto order = compare_numbers(i < a.size() ? a[i] : std::string_view("0"),
                                       i < b.size() ? b[i] : std::string_view("0"));
    if (order != 0) {
      return order;
    }
  }
  return std::strong_ordering::equal;
}

// None comes first, a word before a number, a longer list after its beginning.
std::strong_ordering compare_locals(std::span<const std::string> a,
                                    std::span<const std::string> b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const bool a_number = std::ranges::all_of(a[i], is_digit);
    const bool b_number = std::ranges::all_of(b[i], is_digit);
    if (a_number != b_number) {
      return a_number ? std::strong_ordering::greater : std::strong_ordering::less;
    }
    const auto order = a_number ? compare_numbers(a[i], b[i]) : a[i] <=> b[i];
    if (order != 0) {
      return order;
    }
  }
  return a.size() <=> b.size();
}

}  // namespace

Result<Version> Version::parse(std::string_view text) {
  const std::string lower = to_lower(trim(text.substr(0, kMaxBytes + 1)));
  const auto invalid = [&] {
    return fail(ErrorKind::kInvalid, "{} is no version of PEP 440",
                text.empty() ? "nothing" : printable(text.substr(0, 80)));
  };
  if (text.size() > kMaxBytes) {
    return fail(ErrorKind::kInvalid, "a version is longer than {} bytes", kMaxBytes);
  }
  Scanner scan(lower);
  scan.take('v');
  Version out;
  out.epoch_ = scan.epoch().value_or("0");
  for (std::string_view number = scan.digits(); !number.empty(); number = scan.next_release()) {
    out.release_.emplace_back(without_zeros(number));
  }
  if (out.release_.empty()) {
    return invalid();
  }
  if (auto pre = scan.suffix(kPreWords)) {
    out.pre_kind_ = pre->first;
    out.pre_ = std::move(pre->second);
  }
  out.post_ = scan.implicit_post();
  if (!out.post_) {
    if (auto post = scan.suffix(kPostWords)) {
      out.post_ = std::move(post->second);
    }
  }
  if (auto dev = scan.suffix(kDevWords)) {
    out.dev_ = std::move(dev->second);
  }
  if (scan.take('+')) {
    out.local_ = scan.local();
    if (out.local_.empty()) {
      return invalid();
    }
  }
  if (!scan.done()) {
    return invalid();
  }
  return out;
}

std::string Version::to_string() const {
  std::string out = epoch_ == "0" ? "" : epoch_ + "!";
  out += join(release_, ".");
  if (!pre_kind_.empty()) {
    out += pre_kind_ + pre_;
  }
  if (post_) {
    out += ".post" + *post_;
  }
  if (dev_) {
    out += ".dev" + *dev_;
  }
  if (!local_.empty()) {
    out += "+" + join(local_, ".");
  }
  return out;
}

std::strong_ordering Version::operator<=>(const Version& other) const {
  // A dev release without another suffix stands before all pre-releases, a final one behind them.
  const auto pre_rank = [](const Version& v) {
    if (v.pre_kind_.empty()) {
      return std::string_view(!v.post_ && v.dev_ ? "" : "~");
    }
    return std::string_view(v.pre_kind_);
  };
  const auto optional_order = [](const auto& a, const auto& b, bool none_first) {
    if (a.has_value() != b.has_value()) {
      return a.has_value() == none_first ? std::strong_ordering::greater
                                         : std::strong_ordering::less;
    }
    return a ? compare_numbers(*a, *b) : std::strong_ordering::equal;
  };
  std::strong_ordering order = compare_numbers(epoch_, other.epoch_);
  order = order != 0 ? order : compare_releases(release_, other.release_);
  order = order != 0 ? order : pre_rank(*this) <=> pre_rank(other);
  order = order != 0 ? order : compare_numbers(pre_, other.pre_);
  order = order != 0 ? order : optional_order(post_, other.post_, true);
  order = order != 0 ? order : optional_order(dev_, other.dev_, false);
  return order != 0 ? order : compare_locals(local_, other.local_);
}

}  // namespace cloche::pypi
