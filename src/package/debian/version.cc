#include "package/debian/version.h"

#include <algorithm>

#include "core/ascii.h"
#include "core/text.h"

namespace cloche::debian {
namespace {

constexpr std::size_t kMaxBytes = 256;

// Where a character that is no digit stands in the order; the end and digits are 0.
int weight(std::string_view text, std::size_t at) {
  if (at >= text.size() || is_digit(text[at])) {
    return 0;
  }
  const char c = text[at];
  if (c == '~') {
    return -1;
  }
  constexpr int kBehindLetters = 256;
  const int code = static_cast<unsigned char>(c);
  return is_letter(c) ? code : code + kBehindLetters;
}

std::string_view without_zeros(std::string_view digits) {
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return digits;
}

// Of any length: the longer number is the greater one.
std::weak_ordering compare_numbers(std::string_view a, std::string_view b) {
  a = without_zeros(a);
  b = without_zeros(b);
  return a.size() != b.size() ? std::weak_ordering(a.size() <=> b.size())
                              : std::weak_ordering(a <=> b);
}

std::string_view take_digits(std::string_view text, std::size_t& at) {
  const std::size_t begin = at;
  while (at < text.size() && is_digit(text[at])) {
    ++at;
  }
  return text.substr(begin, at - begin);
}

// dpkg's verrevcmp(): what is no digit by weight, then a number, and so on.
std::weak_ordering compare_parts(std::string_view a, std::string_view b) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    while ((i < a.size() && !is_digit(a[i])) || (j < b.size() && !is_digit(b[j]))) {
      const int left = weight(a, i);
      const int right = weight(b, j);
      if (left != right) {
        return left <=> right;
      }
      ++i;
      ++j;
    }
    const auto order = compare_numbers(take_digits(a, i), take_digits(b, j));
    if (order != 0) {
      return order;
    }
  }
  return std::weak_ordering::equivalent;
}

bool is_epoch(std::string_view text) {
  constexpr std::string_view kMost = "2147483647";
  return !text.empty() && std::ranges::all_of(text, is_digit) && compare_numbers(text, kMost) <= 0;
}

}  // namespace

VersionParts version_parts(std::string_view text) {
  VersionParts out;
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    out.epoch = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  const std::size_t dash = text.rfind('-');
  out.upstream = text.substr(0, dash);
  if (dash != std::string_view::npos) {
    out.revision = text.substr(dash + 1);
  }
  return out;
}

std::weak_ordering compare_versions(std::string_view a, std::string_view b) {
  const VersionParts left = version_parts(a);
  const VersionParts right = version_parts(b);
  if (const auto order = compare_numbers(left.epoch, right.epoch); order != 0) {
    return order;
  }
  if (const auto order = compare_parts(left.upstream, right.upstream); order != 0) {
    return order;
  }
  return compare_parts(left.revision, right.revision);
}

Result<Version> Version::parse(std::string_view text) {
  const std::size_t begin = text.size() - trim_left(text).size();
  const std::string_view version = trim(text);
  const auto invalid = [&](std::size_t at, std::string_view why) {
    return fail(ErrorKind::kInvalid, "'{}' is no Debian version: {}",
                printable(version.substr(0, kMaxBytes)), why)
        .with_location({"", 1, static_cast<int>(begin + at) + 1},
                       std::string(text.substr(0, kMaxBytes)));
  };
  if (version.empty()) {
    return invalid(0, "it is empty");
  }
  if (version.size() > kMaxBytes) {
    return invalid(0, "it is too long");
  }
  const VersionParts parts = version_parts(version);
  const bool has_epoch = version.contains(':');
  if (has_epoch && !is_epoch(parts.epoch)) {
    return invalid(0, "the epoch before ':' is no number");
  }
  const std::size_t offset = has_epoch ? parts.epoch.size() + 1 : 0;
  if (parts.upstream.empty() || !is_digit(parts.upstream[0])) {
    return invalid(offset, "it begins with no digit");
  }
  for (std::size_t i = offset; i < version.size(); ++i) {
    const char c = version[i];
    const bool in_revision = i > offset + parts.upstream.size();
    if (!is_digit(c) && !is_letter(c) && c != '.' && c != '+' && c != '~' && c != '-' &&
        (c != ':' || !has_epoch || in_revision)) {
      return invalid(i, "it holds a character that is not allowed");
    }
  }
  if (version.ends_with('-')) {
    return invalid(version.size() - 1, "the revision behind '-' is missing");
  }
  Version out;
  out.text_ = version;
  return out;
}

}  // namespace cloche::debian
