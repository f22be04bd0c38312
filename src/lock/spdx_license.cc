#include "lock/spdx_license.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/text.h"

namespace cloche::lock {
namespace {

// SPDX license list 3.x: the identifiers found in conda-forge's and Anaconda's repodata. Sorted.
constexpr auto kIds = std::to_array<std::string_view>({
    "0BSD",
    "AFL-2.1",
    "AFL-3.0",
    "AGPL-3.0",
    "AGPL-3.0-only",
    "AGPL-3.0-or-later",
    "APSL-2.0",
    "Apache-1.1",
    "Apache-2.0",
    "Artistic-1.0",
    "Artistic-1.0-Perl",
    "Artistic-2.0",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-2-Clause-Patent",
    "BSD-2-Clause-Views",
    "BSD-3-Clause",
    "BSD-3-Clause-Attribution",
    "BSD-3-Clause-Clear",
    "BSD-3-Clause-LBNL",
    "BSD-3-Clause-Open-MPI",
    "BSD-4-Clause",
    "BSD-4-Clause-UC",
    "BSD-Source-Code",
    "BSL-1.0",
    "BUSL-1.1",
    "Beerware",
    "BlueOak-1.0.0",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0",
    "CC-BY-SA-3.0",
    "CC-BY-SA-4.0",
    "CC-PDDC",
    "CC0-1.0",
    "CDDL-1.0",
    "CDDL-1.1",
    "CECILL-2.0",
    "CECILL-2.1",
    "CECILL-B",
    "CECILL-C",
    "CPL-1.0",
    "ClArtistic",
    "ECL-2.0",
    "EPL-1.0",
    "EPL-2.0",
    "EUPL-1.1",
    "EUPL-1.2",
    "Elastic-2.0",
    "FSFAP",
    "FSFUL",
    "FSFULLR",
    "FTL",
    "GFDL-1.3-or-later",
    "GPL-1.0-or-later",
    "GPL-2.0",
    "GPL-2.0+",
    "GPL-2.0-only",
    "GPL-2.0-or-later",
    "GPL-2.0-with-GCC-exception",
    "GPL-3.0",
    "GPL-3.0+",
    "GPL-3.0-only",
    "GPL-3.0-or-later",
    "GPL-3.0-with-GCC-exception",
    "HPND",
    "HPND-sell-variant",
    "ICU",
    "IJG",
    "IPL-1.0",
    "ISC",
    "Imlib2",
    "Info-ZIP",
    "Intel",
    "JSON",
    "LGPL-2.0",
    "LGPL-2.0-only",
    "LGPL-2.0-or-later",
    "LGPL-2.1",
    "LGPL-2.1+",
    "LGPL-2.1-only",
    "LGPL-2.1-or-later",
    "LGPL-3.0",
    "LGPL-3.0+",
    "LGPL-3.0-only",
    "LGPL-3.0-or-later",
    "LPPL-1.3c",
    "Libpng",
    "MIT",
    "MIT-0",
    "MIT-CMU",
    "MIT-Modern-Variant",
    "MIT-open-group",
    "MPL-1.1",
    "MPL-2.0",
    "MPL-2.0-no-copyleft-exception",
    "MS-PL",
    "MulanPSL-2.0",
    "NCSA",
    "NTP",
    "NetCDF",
    "OFL-1.0",
    "OFL-1.1",
    "OLDAP-2.7",
    "OLDAP-2.8",
    "OML",
    "OpenSSL",
    "PDDL-1.0",
    "PHP-3.01",
    "PSF-2.0",
    "PostgreSQL",
    "Python-2.0",
    "Python-2.0.1",
    "QPL-1.0",
    "Qhull",
    "Ruby",
    "SGI-B-2.0",
    "SISSL",
    "SMLNJ",
    "SSPL-1.0",
    "Sendmail",
    "Sleepycat",
    "TCL",
    "UPL-1.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Vim",
    "W3C",
    "WTFPL",
    "X11",
    "XFree86-1.1",
    "YPL-1.1",
    "ZPL-2.1",
    "Zlib",
    "blessing",
    "bzip2-1.0.6",
    "curl",
    "etalab-2.0",
    "gnuplot",
    "libpng-2.0",
    "libselinux-1.0",
    "libtiff",
    "mpich2",
    "psutils",
    "xpp",
    "zlib-acknowledgement",
});
static_assert(std::ranges::is_sorted(kIds));

constexpr auto kExceptions = std::to_array<std::string_view>({
    "Autoconf-exception-2.0",
    "Autoconf-exception-3.0",
    "Bison-exception-2.2",
    "Classpath-exception-2.0",
    "Font-exception-2.0",
    "GCC-exception-2.0",
    "GCC-exception-3.1",
    "LLVM-exception",
    "Libtool-exception",
    "Linux-syscall-note",
    "OCaml-LGPL-linking-exception",
    "OpenJDK-assembly-exception-1.0",
    "PS-or-PDF-font-exception-20170817",
    "Qt-GPL-exception-1.0",
    "Qt-LGPL-exception-1.1",
    "u-boot-exception-2.0",
});
static_assert(std::ranges::is_sorted(kExceptions));

bool is_license_ref(std::string_view word) {
  constexpr std::string_view kPrefix = "LicenseRef-";
  return word.size() > kPrefix.size() && word.starts_with(kPrefix) &&
         std::ranges::all_of(word.substr(kPrefix.size()), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-';
         });
}

bool is_id(std::string_view word) { return std::ranges::binary_search(kIds, word); }

bool is_license(std::string_view word) {
  return is_id(word) || is_license_ref(word) ||
         (word.ends_with('+') && is_id(word.substr(0, word.size() - 1)));
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!(text = trim_left(text)).empty()) {
    const bool bracket = text.front() == '(' || text.front() == ')';
    const std::size_t end = bracket ? 1 : std::min(text.find_first_of(" \t\n()"), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return out;
}

// license ("WITH" exception)? joined by AND and OR, with brackets.
bool is_expression(const std::vector<std::string_view>& words) {
  int open = 0;
  bool wants_license = true;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (wants_license && word == "(") {
      ++open;
    } else if (wants_license) {
      if (!is_license(word)) {
        return false;
      }
      wants_license = false;
    } else if (word == ")") {
      if (--open < 0) {
        return false;
      }
    } else if (word == "WITH" && i + 1 < words.size()) {
      const bool fits =
          is_license(words[i - 1]) && std::ranges::binary_search(kExceptions, words[i + 1]);
      if (!fits) {
        return false;
      }
      ++i;
    } else if (word == "AND" || word == "OR") {
      wants_license = true;
    } else {
      return false;
    }
  }
  return !wants_license && open == 0;
}

}  // namespace

LicenseKind license_kind(std::string_view text) {
  const std::string_view license = trim(text);
  if (license.empty()) {
    return LicenseKind::kNone;
  }
  if (is_id(license)) {
    return LicenseKind::kId;
  }
  return is_expression(words_of(license)) ? LicenseKind::kExpression : LicenseKind::kName;
}

}  // namespace cloche::lock
