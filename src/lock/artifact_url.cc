#include "lock/artifact_url.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/text.h"
#include "lock/words.h"
#include "package/conda/platform.h"
#include "package/conda/version.h"

namespace cloche::lock {
namespace {

constexpr std::size_t kMaxUrl = 4096;

int hex_value(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

// "1%21164.3" is "1!164.3".
std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>((high * 16) + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

Error no_package(std::string_view url, std::string_view why) {
  return fail(ErrorKind::kInvalid, "'{}' is no conda package's URL: {}",
              printable(without_credentials(url.substr(0, 200))), why)
      .with_hint("one is written as https://host/channel/linux-64/name-version-build.conda");
}

std::string_view without_archive_ending(std::string_view name) {
  for (const std::string_view ending : {".conda", ".tar.bz2"}) {
    if (name.ends_with(ending)) {
      return name.substr(0, name.size() - ending.size());
    }
  }
  return {};
}

// Takes what follows the last '-' off the end.
std::string_view take_last_part(std::string_view& text) {
  const std::size_t dash = text.rfind('-');
  if (dash == std::string_view::npos) {
    return {};
  }
  const std::string_view part = text.substr(dash + 1);
  text = text.substr(0, dash);
  return part;
}

std::int64_t build_number_of(std::string_view build) {
  const std::size_t start = build.find_last_not_of("0123456789") + 1;  // npos + 1 is 0
  std::int64_t number = 0;
  const auto digits = build.substr(start);
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return result.ec == std::errc() ? number : 0;
}

conda::Noarch noarch_of_url(const conda::PackageRecord& record) {
  if (record.subdir != "noarch") {
    return conda::Noarch::kNone;
  }
  return record.build.find("py") == std::string::npos ? conda::Noarch::kGeneric
                                                      : conda::Noarch::kPython;
}

}  // namespace

bool has_scheme(std::string_view text) {
  const std::size_t end = text.find("://");
  return end != std::string_view::npos && end > 0 &&
         std::ranges::all_of(text.substr(0, end), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '+' || c == '-' || c == '.';
         });
}

std::string without_credentials(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  if (!has_scheme(url)) {
    return std::string(url);
  }
  const std::size_t host = url.find("://") + 3;
  const std::size_t path = std::min(url.find('/', host), url.size());
  const std::size_t at = url.substr(0, path).rfind('@');
  std::string out(url.substr(0, host));
  out += at == std::string_view::npos || at < host ? url.substr(host, path - host)
                                                   : url.substr(at + 1, path - at - 1);
  std::string_view rest = url.substr(path);
  while (rest.starts_with("/t/")) {  // conda: conda/common/url.py, split_conda_url_easy_parts
    rest = rest.substr(std::min(rest.find('/', 3), rest.size()));
  }
  return out.append(rest);
}

Result<conda::PackageRecord> record_of_url(std::string_view url) {
  if (url.size() > kMaxUrl) {
    return no_package(url, "it is too long");
  }
  if (!has_scheme(url) || !is_valid_utf8(url) ||
      std::ranges::any_of(url, [](char c) { return static_cast<unsigned char>(c) <= ' '; })) {
    return no_package(url, "no scheme, or a character that no URL has");
  }
  conda::PackageRecord out;
  out.url = without_credentials(url);
  std::string_view place = out.url;
  out.file_name = place.substr(place.rfind('/') + 1);
  const std::string decoded = percent_decoded(out.file_name);
  std::string_view parts = without_archive_ending(decoded);
  if (parts.empty()) {
    return no_package(url, "its file is neither .conda nor .tar.bz2");
  }
  out.build = take_last_part(parts);
  out.version = take_last_part(parts);
  out.name = parts;
  if (!is_file_name_part(out.name) || !is_file_name_part(out.version) ||
      !is_file_name_part(out.build) || !conda::Version::parse(out.version)) {
    return no_package(url, "its file is not called name-version-build");
  }
  place.remove_suffix(out.file_name.size() + 1);
  const std::string_view subdir = place.substr(place.rfind('/') + 1);
  if (conda::is_known_subdir(subdir)) {
    out.subdir = subdir;
    out.channel = place.substr(0, place.size() - subdir.size() - 1);
  }
  out.build_number = build_number_of(out.build);
  out.noarch = noarch_of_url(out);
  return out;
}

}  // namespace cloche::lock
