// Links that a package makes when it is configured: what its postinst asks update-alternatives(1)
// for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cloche::debian_channel {

struct AlternativeLink {
  std::string link;    // "/usr/lib/x86_64-linux-gnu/libblas.so.3"
  std::string target;  // "/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3"

  bool operator==(const AlternativeLink&) const = default;
};

// Every --install and --slave whose words are plain absolute paths, in the script's order; words
// with variables or quotes that a shell would have to expand are passed over.
std::vector<AlternativeLink> alternative_links(std::string_view script);

}  // namespace cloche::debian_channel
