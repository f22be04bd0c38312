// What a target has without a package (CEP 30): "__glibc", "__cuda".
#pragma once

#include <compare>
#include <string>

namespace cloche::conda {

struct VirtualPackage {
  std::string name;
  std::string version;
  std::string build = "0";

  std::string to_string() const { return name + "=" + version + "=" + build; }
  auto operator<=>(const VirtualPackage&) const = default;
};

}  // namespace cloche::conda
