#include "package/pypi/url.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/ascii.h"
#include "core/files.h"
#include "core/text.h"
#include "package/pypi/scanner.h"
#include "package/pypi/variable.h"
#include "package/pypi/version.h"

namespace cloche::pypi {
namespace {

// pip: utils/urls.py and the `schemes` of each class in vcs/.
constexpr std::array<std::string_view, 28> kSchemes = {
    "http",     "https",     "file",      "ftp",      "git+http", "git+https", "git+ssh",
    "git+git",  "git+file",  "hg+file",   "hg+http",  "hg+https", "hg+ssh",    "hg+static-http",
    "bzr+http", "bzr+https", "bzr+ssh",   "bzr+sftp", "bzr+ftp",  "bzr+lp",    "bzr+file",
    "svn+ssh",  "svn+http",  "svn+https", "svn+svn",  "svn+file", "git",       "ssh"};
constexpr std::size_t kTakenSchemes = 26;  // the last two only look like URLs

constexpr std::array<std::string_view, 10> kArchives = {
    ".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar.lzma"};

std::string_view without_fragment(std::string_view url) { return url.substr(0, url.find('#')); }

// What no URL holds as it is (RFC 3986), less the '{' '}' of variables.
bool is_foreign(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= 0x20 || byte == 0x7f ||
         std::string_view("\"<>\\^`{|}").find(c) != std::string_view::npos;
}

bool is_name(std::string_view text) {
  const auto alnum = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && alnum(text.front()) && alnum(text.back()) &&
         std::ranges::all_of(text,
                             [&](char c) { return alnum(c) || c == '-' || c == '_' || c == '.'; });
}

}  // namespace

std::string url_scheme(std::string_view text) {
  const std::size_t colon = text.find(':');
  constexpr std::size_t kLongest = 16;
  if (colon == std::string_view::npos || colon > kLongest) {
    return "";
  }
  std::string scheme = to_lower(text.substr(0, colon));
  const auto* const end = kSchemes.begin() + kTakenSchemes;
  return std::find(kSchemes.begin(), end, scheme) != end ? scheme : "";
}

bool is_vcs_scheme(std::string_view scheme) { return scheme.find('+') != std::string_view::npos; }

bool is_archive_name(std::string_view text) {
  const std::string lower =
      to_lower(text.substr(text.size() - std::min<std::size_t>(text.size(), 16)));
  return std::ranges::any_of(kArchives, [&](auto ending) { return lower.ends_with(ending); });
}

Status check_url(const Scanner& scan, std::size_t at, std::string_view url) {
  for (std::size_t i = 0; i < url.size(); ++i) {
    const std::size_t variable = variable_length(url.substr(i));
    if (variable > 0) {
      i += variable - 1;
    } else if (is_foreign(url[i])) {
      const bool marker = url.find(';') < i;
      return scan.error_at(at + i, "a URL cannot hold '{}'", printable(url.substr(i, 1)))
          .with_hint(marker          ? "put a blank before and behind the ';' of a marker"
                     : url[i] == '{' ? "variables are written ${NAME}, of A-Z, 0-9 and '_'"
                                     : "write it percent-encoded");
    }
  }
  const std::string scheme = url_scheme(url);
  if (scheme.empty()) {
    return {};
  }
  const std::string_view rest = url.substr(scheme.size() + 1);
  const bool local = scheme == "file" || scheme.ends_with("+file") || scheme.ends_with("+lp");
  if (rest.empty() || rest == "//") {
    return scan.error_at(at, "nothing stands behind {}:", scheme);
  }
  const std::string_view host = rest.starts_with("//") ? rest.substr(2) : std::string_view();
  if (!local && (host.empty() || host.starts_with('/') || host.starts_with('#'))) {
    return scan.error_at(at, "the URL has no host").with_hint("write " + scheme + "://host/path");
  }
  return {};
}

Result<std::string> file_distribution(std::string_view url) {
  std::string_view file = without_fragment(url);
  file = base_name(file.substr(0, file.find('?')));
  if (!is_archive_name(file)) {
    return std::string();
  }
  if (to_lower(file.substr(file.size() - 4)) == ".whl") {
    const std::string_view stem = file.substr(0, file.size() - 4);
    const auto parts = static_cast<std::size_t>(std::ranges::count(stem, '-')) + 1;
    const bool variable = stem.find("${") != std::string_view::npos;
    if ((parts != 5 && parts != 6) || !is_name(stem.substr(0, stem.find('-')))) {
      if (variable) {
        return std::string();
      }
      return fail(ErrorKind::kInvalid, "{} is no name of a wheel", printable(file.substr(0, 200)))
          .with_hint("a wheel is name-version-python-abi-platform.whl");
    }
    return std::string(stem.substr(0, stem.find('-')));
  }
  // name-version.tar.gz: the version begins behind the last '-'.
  const std::size_t dash = file.rfind('-');
  if (dash == std::string_view::npos || !is_name(file.substr(0, dash))) {
    return std::string();
  }
  const std::string lower = to_lower(file);
  const auto* const ending = std::ranges::find_if(
      kArchives, [&](auto one) { return std::string_view(lower).ends_with(one); });
  const std::string_view version = file.substr(dash + 1, file.size() - ending->size() - dash - 1);
  return std::string(Version::parse(version).has_value() ? file.substr(0, dash) : "");
}

std::optional<std::string_view> egg_fragment(std::string_view url) {
  const std::size_t hash = url.find('#');
  if (hash == std::string_view::npos) {
    return std::nullopt;
  }
  for (const std::string_view part : split(url.substr(hash + 1), '&')) {
    if (part.starts_with("egg=")) {
      return part.substr(4);
    }
  }
  return std::nullopt;
}

bool is_exact_url(std::string_view url) {
  static constexpr std::array<std::string_view, 6> kHashes = {
      "sha256=", "sha384=", "sha512=", "sha224=", "sha1=", "md5="};
  const std::size_t hash = url.find('#');
  if (hash != std::string_view::npos) {
    for (const std::string_view part : split(url.substr(hash + 1), '&')) {
      if (std::ranges::any_of(kHashes, [&](auto name) { return part.starts_with(name); })) {
        return true;
      }
    }
  }
  if (!is_vcs_scheme(url_scheme(url))) {
    return false;
  }
  constexpr std::size_t kCommitDigits = 40;
  const std::string_view place = without_fragment(url);
  const std::size_t at = place.rfind('@');
  const std::string_view commit =
      at == std::string_view::npos ? std::string_view() : place.substr(at + 1);
  return commit.size() == kCommitDigits && std::ranges::all_of(commit, is_lower_hex);
}

}  // namespace cloche::pypi
