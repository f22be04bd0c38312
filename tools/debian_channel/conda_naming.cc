#include "debian_channel/conda_naming.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>

#include "core/text.h"

namespace cloche::debian_channel {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); }

struct Parts {
  std::string_view upstream;
  std::string_view revision;
};

Parts parts_of(std::string_view version) {
  if (const std::size_t colon = version.find(':'); colon != std::string_view::npos) {
    version.remove_prefix(colon + 1);
  }
  const std::size_t dash = version.rfind('-');
  if (dash == std::string_view::npos) {
    return {version, ""};
  }
  return {version.substr(0, dash), version.substr(dash + 1)};
}

}  // namespace

std::string conda_version(std::string_view debian_version) {
  std::string text = to_lower(parts_of(debian_version).upstream);
  for (const std::string_view said : {"+dfsg", "~dfsg", ".dfsg", "+ds", "+repack", "+really"}) {
    if (const std::size_t at = text.find(said); at != std::string::npos && at > 0) {
      text.resize(at);
    }
  }
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_word(c)) {
      out += c;
    } else if (c == '~' && i + 1 < text.size() && !is_digit(text[i + 1])) {
      continue;  // 1.0~rc1 is 1.0rc1, which comes before 1.0
    } else if (!out.empty() && out.back() != '.') {
      out += '.';
    }
  }
  while (out.ends_with('.')) {
    out.pop_back();
  }
  return out.empty() ? "0" : out;
}

std::string build_word(std::string_view debian_version) {
  std::string out = "deb";
  for (const char c : to_lower(parts_of(debian_version).revision)) {
    out += is_word(c) ? c : '_';
  }
  return out;
}

std::int64_t build_number(std::string_view debian_version) {
  std::int64_t number = 0;
  for (const char c : parts_of(debian_version).revision) {
    if (!is_digit(c) || number > 100'000) {
      break;
    }
    number = number * 10 + (c - '0');
  }
  return number;
}

std::string conda_name(std::string_view debian_name) {
  std::string name = to_lower(debian_name);
  std::ranges::replace(name, '+', 'x');
  return name;
}

}  // namespace cloche::debian_channel
