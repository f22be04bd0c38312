#include "lock/sbom.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "core/clock.h"
#include "lock/debian_needs.h"
#include "package/pypi/requirement.h"

namespace cloche::lock {
namespace {

// purl specification, "Character encoding": letters, digits and .-_~ stay, and so does ':'.
std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool stays = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == '_' || c == '~' || c == ':';
    out += stays ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

// "conda-forge" and "main", as the specification's example has it; others by their URL.
std::string_view purl_channel(std::string_view url) {
  for (const std::string_view known :
       {"https://conda.anaconda.org/", "https://repo.anaconda.com/pkgs/"}) {
    if (url.starts_with(known)) {
      return url.substr(known.size());
    }
  }
  return url;
}

std::string with_qualifiers(std::string purl,
                            const std::map<std::string, std::string_view>& qualifiers) {
  char separator = '?';
  for (const auto& [key, value] : qualifiers) {
    if (!value.empty()) {
      purl += fmt::format("{}{}={}", separator, key, percent_encoded(value));
      separator = '&';
    }
  }
  return purl;
}

std::vector<std::size_t> places(const std::set<std::size_t>& found, std::size_t self) {
  std::vector<std::size_t> out(found.begin(), found.end());
  std::erase(out, self);
  return out;
}

using Names = std::map<std::string, std::size_t, std::less<>>;

std::set<std::size_t> needed(const std::vector<std::string>& specs, const Names& names,
                             std::string (*name_of_spec)(std::string_view)) {
  std::set<std::size_t> out;
  for (const std::string& spec : specs) {
    if (const auto found = names.find(name_of_spec(spec)); found != names.end()) {
      out.insert(found->second);
    }
  }
  return out;
}

std::string requirement_name(std::string_view line) {
  const std::size_t end = line.find_first_of(" \t<>=!~([;@");
  return pypi::normal_name(line.substr(0, end));
}

SbomPart part_of(const CondaPackage& package) {
  const conda::PackageRecord& r = package.record;
  return {.ecosystem = "conda",
          .name = r.name,
          .version = r.version,
          .purl = purl_of(r),
          .url = r.url,
          .file_name = r.file_name,
          .sha256 = r.sha256,
          .md5 = r.md5,
          .license = r.license,
          .depends_on = {},
          .requested = !package.reason.requested.empty()};
}

SbomPart part_of(const PypiPackage& package) {
  return {.ecosystem = "pypi",
          .name = package.name,
          .version = package.version,
          .purl = purl_of(package),
          .url = package.url,
          .file_name = package.url.substr(package.url.rfind('/') + 1),
          .sha256 = package.sha256,
          .md5 = package.md5,
          .license = "",
          .depends_on = {},
          .requested = false};
}

SbomPart part_of(const DebianPackage& package, const DebianLock& debian) {
  return {.ecosystem = "debian",
          .name = package.name,
          .version = package.version,
          .purl = purl_of(package, debian),
          .url = package.url,
          .file_name = package.url.substr(package.url.rfind('/') + 1),
          .sha256 = package.sha256,
          .md5 = "",
          .license = "",
          .depends_on = {},
          .requested = !package.reason.requested.empty()};
}

}  // namespace

std::string purl_of(const conda::PackageRecord& record) {
  return with_qualifiers(
      fmt::format("pkg:conda/{}@{}", percent_encoded(record.name), percent_encoded(record.version)),
      {{"build", record.build},
       {"channel", purl_channel(record.channel)},
       {"subdir", record.subdir},
       {"type", record.file_name.ends_with(".conda") ? "conda" : "tar.bz2"}});
}

std::string purl_of(const PypiPackage& package) {
  const std::string version = package.version.empty() ? "" : "@" + percent_encoded(package.version);
  return fmt::format("pkg:pypi/{}{}", percent_encoded(package.name), version);
}

std::string purl_of(const DebianPackage& package, const DebianLock& debian) {
  const std::string_view vendor =
      debian.distribution.empty() ? std::string_view("debian") : debian.distribution;
  return with_qualifiers(
      fmt::format("pkg:deb/{}/{}@{}", percent_encoded(vendor), percent_encoded(package.name),
                  percent_encoded(package.version)),
      {{"arch", package.architecture}, {"distro", debian.codename}});
}

std::string purl_of(const BaseImage& image) {
  if (image.digest.empty()) {
    return "";
  }
  const std::string_view whole = image.reference;
  const std::string_view path = whole.substr(0, whole.find('@'));
  const std::size_t slash = path.rfind('/') + 1;  // npos + 1 is 0
  const std::string_view name = path.substr(slash, path.find(':', slash) - slash);
  const std::string repository = std::string(path.substr(0, slash)).append(name);
  return with_qualifiers(
      fmt::format("pkg:oci/{}@{}", percent_encoded(name), percent_encoded(image.digest)),
      {{"repository_url", repository}});
}

std::string uuid_of(const Lock& lock) {
  std::string hex = digest_of(lock).hex().substr(0, 32);
  hex[12] = '8';                                            // version
  hex[16] = "89ab"[static_cast<std::size_t>(hex[16]) % 4];  // variant
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4),
                     hex.substr(16, 4), hex.substr(20));
}

std::string created_of(const Lock& lock) {
  constexpr std::int64_t kYear9999 = 253'402'300'799'000;
  std::int64_t newest = 0;
  for (const CondaPackage& package : lock.conda.packages) {
    newest = std::max(newest, package.record.timestamp_ms);
  }
  const std::string text = to_rfc3339(std::min(newest, kYear9999));
  return text.substr(0, text.find('.')) + "Z";
}

std::string name_of(const Lock& lock) {
  const std::string identity =
      lock.fingerprint.empty() ? contents_digest_of(lock).hex() : lock.fingerprint;
  return "cloche-environment-" + identity.substr(0, 12);
}

std::vector<SbomPart> parts_of(const Lock& lock) {
  Lock sorted = lock;
  sort(sorted);
  std::vector<SbomPart> out;
  Names conda_names;
  Names pypi_names;
  for (const CondaPackage& package : sorted.conda.packages) {
    conda_names.emplace(package.record.name, out.size());
    out.push_back(part_of(package));
  }
  for (const PypiPackage& package : sorted.pypi.packages) {
    pypi_names.emplace(package.name, out.size());
    out.push_back(part_of(package));
  }
  const std::size_t first_debian = out.size();
  for (const DebianPackage& package : sorted.debian.packages) {
    out.push_back(part_of(package, sorted.debian));
  }
  std::size_t place = 0;
  for (const CondaPackage& package : sorted.conda.packages) {
    out[place].depends_on =
        places(needed(package.record.depends, conda_names, dependency_name), place);
    ++place;
  }
  for (const PypiPackage& package : sorted.pypi.packages) {
    out[place].depends_on =
        places(needed(package.requires_dist, pypi_names, requirement_name), place);
    ++place;
  }
  for (const std::vector<std::size_t>& needs : debian_needs(sorted.debian)) {
    for (const std::size_t need : needs) {
      out[place].depends_on.push_back(first_debian + need);
    }
    ++place;
  }
  return out;
}

std::vector<std::size_t> roots_of(const std::vector<SbomPart>& parts) {
  const bool known = std::ranges::any_of(parts, &SbomPart::requested);
  std::vector<bool> needed_by_another(parts.size());
  for (const SbomPart& part : parts) {
    for (const std::size_t place : part.depends_on) {
      needed_by_another[place] = true;
    }
  }
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool unknown = !known || parts[i].ecosystem == "pypi";
    if (parts[i].requested || (unknown && !needed_by_another[i])) {
      out.push_back(i);
    }
  }
  return out;
}

}  // namespace cloche::lock
