// What pip reads out of the URL or path of a distribution.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace cloche::pypi {

class Scanner;

// The scheme if pip takes the text for a URL ("https", "file", "git+ssh"), in lower case; else "".
std::string url_scheme(std::string_view text);

bool is_vcs_scheme(std::string_view scheme);

// Whether the name ends like a wheel or a source archive (pip: utils/filetypes.py).
bool is_archive_name(std::string_view text);

// kInvalid: a character that no URL holds, a web URL without a host. `at` is the URL's place in the
// scanner's text.
Status check_url(const Scanner& scan, std::size_t at, std::string_view url);

// The distribution's name as the file's name tells it: "torch" of ".../torch-2.1-cp311-....whl",
// ".../torch-2.1.tar.gz"; "" when it does not. kInvalid: a malformed wheel name (PEP 427).
Result<std::string> file_distribution(std::string_view url);

// "#egg=VALUE" or "&egg=VALUE" of the fragment.
std::optional<std::string_view> egg_fragment(std::string_view url);

// A hash of the archive in the fragment ("#sha256=..."), or a whole commit as VCS reference.
bool is_exact_url(std::string_view url);

}  // namespace cloche::pypi
