#include "source/conda/channel_url.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "core/credentials.h"
#include "core/files.h"
#include "core/text.h"
#include "package/conda/platform.h"

namespace cloche::source {
namespace {

constexpr std::size_t kMaxUrlBytes = 4096;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
        hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>((hex_digit(text[i + 1]) * 16) + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~/!$&'()*+,;=:@").find(c) != std::string_view::npos;
}

void strip_slashes(std::string& text) {
  while (text.ends_with('/')) {
    text.pop_back();
  }
}

// Takes "/t/<token>" off the front of the path, wherever it stands in it (conda:
// conda/common/url.py, split_anaconda_token).
void take_token(std::string& path, Credential& credential) {
  const std::size_t mark = path.find("/t/");
  if (mark == std::string::npos) {
    return;
  }
  const std::size_t end = std::min(path.find('/', mark + 3), path.size());
  credential.token = path.substr(mark + 3, end - mark - 3);
  path.erase(mark, end - mark);
}

void take_user(std::string& authority, Credential& credential) {
  const std::size_t at = authority.rfind('@');
  if (at == std::string::npos) {
    return;
  }
  const std::string_view info = std::string_view(authority).substr(0, at);
  const std::size_t colon = std::min(info.find(':'), info.size());
  credential.user = percent_decoded(info.substr(0, colon));
  credential.password = percent_decoded(info.substr(std::min(colon + 1, info.size())));
  authority.erase(0, at + 1);
}

void take_subdir(ChannelUrl& url) {
  const std::size_t slash = url.base.rfind('/');
  const std::string last = url.base.substr(slash + 1);
  if (conda::is_known_subdir(last)) {
    url.subdir = last;
    url.base.erase(slash);
    strip_slashes(url.base);
  }
}

Status check_name(const ChannelUrl& url) {
  const std::string_view last = base_name(url.base);
  if (last.ends_with(".conda") || last.ends_with(".tar.bz2")) {
    return fail(ErrorKind::kInvalid, "{} is a package, not a channel", shown_url(url.base))
        .with_hint(
            "name it under dependencies: a channel is the folder above linux-64/ and noarch/");
  }
  if (last.find("repodata.json") != std::string_view::npos) {
    return fail(ErrorKind::kInvalid, "{} is an index, not a channel", shown_url(url.base))
        .with_hint("a channel is the folder above linux-64/ and noarch/");
  }
  return {};
}

Status check_text(std::string_view text) {
  const bool control = std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; });
  if (control || text.size() > kMaxUrlBytes) {
    return fail(ErrorKind::kInvalid, "{} is no channel: {}", shown_url(text.substr(0, 100)),
                control ? "it has control characters" : "it is too long");
  }
  return {};
}

}  // namespace

bool has_scheme(std::string_view text) {
  const std::size_t colon = text.find(":/");
  if (colon == std::string_view::npos || colon < 2) {
    return false;
  }
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+';
  });
}

bool is_path(std::string_view text) {
  return text == "." || text == ".." || text == "~" || text.starts_with("./") ||
         text.starts_with("../") || text.starts_with("~/") || text.starts_with("/");
}

Result<ChannelUrl> parse_channel_url(std::string_view text) {
  TRY(check_text(text));
  const std::size_t colon = text.find(':');
  const std::string scheme = to_lower(text.substr(0, colon));
  ChannelUrl url;
  if (scheme == "file") {
    const std::string path = path_of_file_url(text);
    if (!path.starts_with('/')) {
      return fail(ErrorKind::kInvalid, "{} is no channel: it names no folder", shown_url(text))
          .with_hint("file:///folder, with three slashes");
    }
    url.base = file_url_of_path(path);
  } else if (scheme == "http" || scheme == "https") {
    std::string rest(text.substr(colon + 1));
    rest.erase(0, std::min(rest.find_first_not_of('/'), rest.size()));
    if (rest.find_first_of("?#") != std::string::npos) {
      return fail(ErrorKind::kInvalid, "{} is no channel: it has a query or a fragment",
                  shown_url(text));
    }
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    std::string authority = rest.substr(0, slash);
    std::string path = rest.substr(slash);
    take_user(authority, url.credential);
    take_token(path, url.credential);
    if (authority.empty()) {
      return fail(ErrorKind::kInvalid, "{} is no channel: it names no host", shown_url(text));
    }
    strip_slashes(path);
    url.base = scheme + "://" + to_lower(authority) + path;
  } else {
    return fail(ErrorKind::kUnsupported, "{}: channels are read over https, http and file",
                shown_url(text));
  }
  take_subdir(url);
  TRY(check_name(url));
  return url;
}

Result<ChannelUrl> channel_url_of_path(std::string_view text, const Surroundings& surroundings) {
  TRY(check_text(text));
  std::string path(text);
  if (path == "~" || path.starts_with("~/")) {
    path = surroundings.home + path.substr(1);
  }
  ChannelUrl url;
  url.base = file_url_of_path(normal_path(join_path(surroundings.directory, path)));
  take_subdir(url);
  TRY(check_name(url));
  return url;
}

std::string path_of_file_url(std::string_view url) {
  url.remove_prefix(std::min(url.size(), url.find(':') + 1));
  if (url.starts_with("//")) {  // file://host/path: the host is this one
    url.remove_prefix(2);
    url.remove_prefix(std::min(url.find('/'), url.size()));
  }
  return percent_decoded(url);
}

std::string file_url_of_path(std::string_view path) {
  std::string out = "file://";
  for (const char c : path) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  while (out.size() > 8 && out.ends_with('/')) {
    out.pop_back();
  }
  return out;
}

std::string resolve_url(std::string_view base, std::string_view reference) {
  if (has_scheme(reference)) {
    const std::size_t authority = reference.find("://") + 3;
    const std::size_t end = std::min(reference.find('/', authority), reference.size());
    const std::size_t at = reference.substr(0, end).rfind('@');
    const bool plain = at == std::string_view::npos || at < authority;
    return std::string(reference.substr(0, authority)) +
           std::string(reference.substr(plain ? authority : at + 1));
  }
  const std::size_t mark = base.find("://");
  const std::size_t host = mark == std::string_view::npos ? 0 : mark + 3;
  const std::size_t root = std::min(base.find('/', host), base.size());
  if (reference.starts_with("//")) {
    return resolve_url(base, std::string(base.substr(0, mark + 1)) + std::string(reference));
  }
  std::vector<std::string_view> parts;
  if (!reference.starts_with('/')) {
    parts = split(base.substr(std::min(root + 1, base.size())), '/');
    parts.pop_back();  // the file itself
  }
  bool folder = true;  // whether the result ends in a slash
  for (const std::string_view part : split(reference, '/')) {
    folder = part.empty() || part == "." || part == "..";
    if (part == ".." && !parts.empty()) {
      parts.pop_back();
    } else if (!folder) {
      parts.push_back(part);
    }
  }
  std::string out(base.substr(0, root));
  for (const std::string_view part : parts) {
    out += "/" + std::string(part);
  }
  return folder ? out + "/" : out;
}

std::string package_url(std::string_view index_url, std::string_view reference,
                        std::string_view file_name) {
  std::string folder = resolve_url(index_url, reference);
  if (!folder.ends_with('/')) {
    folder += '/';
  }
  for (const char c : file_name) {
    if (is_unreserved(c) && c != '/') {
      folder += c;
    } else {
      folder += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return folder;
}

}  // namespace cloche::source
