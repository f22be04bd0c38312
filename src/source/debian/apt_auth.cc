#include "source/debian/apt_auth.h"

#include <algorithm>
#include <utility>

#include "core/encoding.h"
#include "core/text.h"

namespace cloche::source {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20U;
constexpr std::string_view kProtocolEnd = "://";

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> out;
  for (const std::string_view line : split_lines(text)) {
    if (trim(line).starts_with('#')) {
      continue;
    }
    for (std::string_view rest = trim(line); !rest.empty(); rest = trim(rest)) {
      const std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
      out.push_back(rest.substr(0, end));
      rest.remove_prefix(end);
    }
  }
  return out;
}

struct UrlParts {
  std::string_view protocol;
  std::string_view authority;
  std::string_view path;  // from the slash on
};

UrlParts parts_of(std::string_view url) {
  UrlParts out;
  if (const std::size_t end = url.find(kProtocolEnd); end != std::string_view::npos) {
    out.protocol = url.substr(0, end);
    url.remove_prefix(end + kProtocolEnd.size());
  }
  const std::size_t slash = std::min(url.find('/'), url.size());
  out.authority = url.substr(0, slash);
  out.path = url.substr(slash);
  return out;
}

}  // namespace

AptAuth AptAuth::load(FileSource& files, const std::string& directory) {
  std::vector<std::string> paths = {directory + "/auth.conf"};
  if (const auto more = files.list(directory + "/auth.conf.d")) {
    for (const FileEntry& entry : *more) {
      if (entry.name.ends_with(".conf")) {
        paths.push_back(directory + "/auth.conf.d/" + entry.name);
      }
    }
  }
  AptAuth out;
  for (const std::string& path : paths) {
    out.add(files.read(path, kMaxFileBytes).value_or(""));
  }
  return out;
}

void AptAuth::add(std::string_view text) {
  const std::vector<std::string_view> words = words_of(text);
  Entry* open = nullptr;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string_view value = words[i + 1];
    if (words[i] == "machine") {
      const UrlParts parts = parts_of(value);
      std::string_view path = parts.path;
      while (path.ends_with('/')) {
        path.remove_suffix(1);
      }
      open = &entries_.emplace_back(Entry{.protocol = to_lower(parts.protocol),
                                          .host = to_lower(parts.authority),
                                          .path = std::string(path),
                                          .login = {},
                                          .password = {}});
    } else if (open != nullptr && words[i] == "login") {
      open->login = value;
    } else if (open != nullptr && words[i] == "password") {
      open->password = value;
    } else {
      continue;
    }
    ++i;
  }
}

bool AptAuth::fits(const Entry& entry, std::string_view url) {
  const UrlParts parts = parts_of(url);
  if (to_lower(parts.protocol) != (entry.protocol.empty() ? "https" : entry.protocol)) {
    return false;
  }
  // A path is one of whole components: /debian is not /debian-security.
  const bool below =
      parts.path.starts_with(entry.path) &&
      (parts.path.size() == entry.path.size() || parts.path[entry.path.size()] == '/');
  return to_lower(parts.authority) == entry.host && below;
}

std::vector<io::HttpHeader> AptAuth::headers(std::string_view url) const {
  if (parts_of(url).authority.contains('@')) {
    return {};
  }
  const auto found = std::ranges::find_if(
      entries_, [&](const Entry& entry) { return fits(entry, url) && !entry.login.empty(); });
  if (found == entries_.end()) {
    return {};
  }
  return {{"Authorization", "Basic " + to_base64(found->login + ":" + found->password)}};
}

}  // namespace cloche::source
