#include "package/conda/version.h"

#include <algorithm>

#include "core/ascii.h"
#include "core/text.h"

namespace cloche::conda {
namespace {

constexpr std::size_t kMaxLength = 256;  // CEP 26 asks for 64 at most

Error refuse(std::string_view text, std::size_t position, const std::string& why) {
  return fail(ErrorKind::kInvalid, "'{}' is not a version: {}", printable(text.substr(0, 80)), why)
      .with_location({"", 1, static_cast<int>(position) + 1}, std::string(text));
}

Status check_characters(std::string_view text) {
  if (text.empty()) {
    return refuse(text, 0, "it is empty");
  }
  if (text.size() > kMaxLength) {
    return refuse(text, kMaxLength, "it is longer than 256 characters");
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !is_digit(c) && std::string_view("._-+!").find(c) == std::string_view::npos) {
      return refuse(text, i, "'" + printable(text.substr(i, 1)) + "' cannot stand in it");
    }
  }
  const std::size_t dash = text.find('-');
  if (dash != std::string_view::npos && text.find('_') != std::string_view::npos) {
    return refuse(text, dash, "it has both '-' and '_'");
  }
  return {};
}

// The texts between separators; a final underscore stays with its segment when `keep_underscore`,
// so that 1.0.1_ < 1.0.1a (openssl's scheme, CEP 33).
std::vector<std::string> segments_of(std::string_view text, bool keep_underscore) {
  const bool kept = keep_underscore && text.ends_with('_');
  if (kept) {
    text.remove_suffix(1);
  }
  std::string dotted(text);
  std::ranges::replace(dotted, '_', '.');
  std::vector<std::string> out;
  for (const std::string_view segment : split(dotted, '.')) {
    out.emplace_back(segment);
  }
  if (kept) {
    out.back() += '_';
  }
  return out;
}

}  // namespace

Result<Version> Version::parse(std::string_view text) {
  text = trim(text);
  TRY(check_characters(text));
  Version out;
  out.text_ = text;
  std::string lower = to_lower(text);
  std::ranges::replace(lower, '-', '_');

  const std::size_t bang = lower.find('!');
  const bool has_epoch = bang != std::string::npos;
  const std::string epoch = has_epoch ? lower.substr(0, bang) : "0";
  if (epoch.empty() || !std::ranges::all_of(epoch, is_digit)) {
    return refuse(text, 0, "the epoch before '!' is not a number");
  }
  const std::size_t begin = has_epoch ? bang + 1 : 0;
  const std::size_t plus = lower.find('+', begin);
  if (lower.find('!', begin) != std::string::npos) {
    return refuse(text, text.rfind('!'), "it has a second '!'");
  }
  out.version_.push_back(segment_of(epoch));
  for (const auto& segment : segments_of(lower.substr(begin, plus - begin), true)) {
    out.version_.push_back(segment_of(segment));
  }
  if (plus != std::string::npos) {
    if (lower.find('+', plus + 1) != std::string::npos) {
      return refuse(text, text.rfind('+'), "it has a second '+'");
    }
    for (const auto& segment : segments_of(lower.substr(plus + 1), false)) {
      out.local_.push_back(segment_of(segment));
    }
  }
  const auto is_empty = [](const Segment& segment) { return segment.empty(); };
  if (std::ranges::any_of(out.version_, is_empty) || std::ranges::any_of(out.local_, is_empty)) {
    return refuse(text, 0, "a segment between '.', '_', '!' and '+' is empty");
  }
  return out;
}

Version::Segment Version::segment_of(std::string_view text) {
  Segment parts;
  if (!text.empty() && !is_digit(text.front())) {
    parts.push_back({});  // a 0, so that numbers meet numbers: 1.1.a1 == 1.1.0a1
  }
  while (!text.empty()) {
    const bool number = is_digit(text.front());
    std::size_t length = 1;
    while (length < text.size() && is_digit(text[length]) == number) {
      ++length;
    }
    std::string_view run = text.substr(0, length);
    text.remove_prefix(length);
    if (number) {
      run.remove_prefix(std::min(run.find_first_not_of('0'), run.size()));
      parts.push_back({Part::Kind::kNumber, std::string(run)});
    } else if (run == "dev") {
      parts.push_back({Part::Kind::kDev, {}});
    } else if (run == "post") {
      parts.push_back({Part::Kind::kPost, {}});
    } else {
      parts.push_back({Part::Kind::kText, std::string(run)});
    }
  }
  return parts;
}

std::weak_ordering Version::Part::operator<=>(const Part& other) const {
  if (kind != other.kind) {
    return kind <=> other.kind;
  }
  if (kind == Kind::kNumber && value.size() != other.value.size()) {
    return value.size() <=> other.value.size();
  }
  return value <=> other.value;
}

// What one side lacks counts as 0.
std::weak_ordering Version::compare(const std::vector<Segment>& a, const std::vector<Segment>& b) {
  static const Segment kNothing;
  static const Part kZero;
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const Segment& left = i < a.size() ? a[i] : kNothing;
    const Segment& right = i < b.size() ? b[i] : kNothing;
    for (std::size_t k = 0; k < std::max(left.size(), right.size()); ++k) {
      const auto order =
          (k < left.size() ? left[k] : kZero) <=> (k < right.size() ? right[k] : kZero);
      if (order != 0) {
        return order;
      }
    }
  }
  return std::weak_ordering::equivalent;
}

std::weak_ordering Version::operator<=>(const Version& other) const {
  const auto order = compare(version_, other.version_);
  return order != 0 ? order : compare(local_, other.local_);
}

// conda: VersionOrder.startswith(). With a local part in the prefix, all before it must be equal.
bool Version::starts_with(const Version& prefix) const {
  if (prefix.local_.empty()) {
    return starts_with(version_, prefix.version_);
  }
  return compare(version_, prefix.version_) == 0 && starts_with(local_, prefix.local_);
}

bool Version::starts_with(const std::vector<Segment>& all, const std::vector<Segment>& prefix) {
  static const Segment kNothing;
  static const Part kZero;
  const std::size_t last = prefix.size() - 1;
  for (std::size_t i = 0; i < last; ++i) {
    if (compare({i < all.size() ? all[i] : kNothing}, {prefix[i]}) != 0) {
      return false;
    }
  }
  const Segment& segment = last < all.size() ? all[last] : kNothing;
  const Segment& wanted = prefix[last];
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const Part& part = i < segment.size() ? segment[i] : kZero;
    const bool may_continue = i + 1 == wanted.size() && wanted[i].kind == Part::Kind::kText &&
                              part.kind == Part::Kind::kText;
    if (may_continue ? !part.value.starts_with(wanted[i].value) : (part <=> wanted[i]) != 0) {
      return false;
    }
  }
  return true;
}

}  // namespace cloche::conda
