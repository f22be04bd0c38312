// Where the files of Debian packages stand below a conda prefix.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cloche::debian_channel {

// What decides a path besides itself.
struct Layout {
  std::string python;   // "3.11"
  bool noarch = false;  // a `noarch: python` package: modules go to site-packages/, scripts to
                        // python-scripts/ and find their place when they are installed

  std::string site_packages() const;  // in the package
};

// The path with what the merged /usr makes of it, relative and plain: "usr/lib/x" for "./lib/x",
// "/lib/x" and "usr/./lib/x".
std::string merged_path(std::string_view path);

// A merged Debian path below the prefix; nullopt: it is left out (documentation, configuration,
// tests, what belongs to Debian's own tools or to another Python).
std::optional<std::string> prefix_path(std::string_view merged, const Layout& layout);

// Where a path of the package stands once it is installed: lib/python3.11/site-packages/x for
// site-packages/x of a noarch package.
std::string installed_path(std::string_view path, const Layout& layout);

// "../share/x" from the directory "bin" to "share/x"; "." to itself.
std::string relative_path(std::string_view from_directory, std::string_view to);

}  // namespace cloche::debian_channel
