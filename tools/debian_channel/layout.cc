#include "debian_channel/layout.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include "core/files.h"
#include "core/text.h"

namespace cloche::debian_channel {
namespace {

using namespace std::string_view_literals;

// Directories that another one of Debian's takes the place of, or that nothing at run time reads.
constexpr std::array kLeftOut = {"usr/share/doc"sv,
                                 "usr/share/man"sv,
                                 "usr/share/info"sv,
                                 "usr/share/lintian"sv,
                                 "usr/share/locale"sv,
                                 "usr/share/bug"sv,
                                 "usr/share/doc-base"sv,
                                 "usr/share/applications"sv,
                                 "usr/share/menu"sv,
                                 "usr/share/pixmaps"sv,
                                 "usr/share/icons"sv,
                                 "usr/share/bash-completion"sv,
                                 "usr/share/gdb"sv,
                                 "usr/share/python3"sv,
                                 "usr/share/dh-python"sv,
                                 "usr/share/metainfo"sv,
                                 "usr/share/mime"sv,
                                 "usr/share/mime-info"sv,
                                 "usr/share/apport"sv,
                                 "usr/share/gtk-doc"sv,
                                 "usr/share/binfmts"sv,
                                 "usr/share/pyshared"sv,
                                 "usr/share/debhelper"sv,
                                 "usr/share/autopkgtest"sv,
                                 "usr/lib/debug"sv,
                                 "usr/lib/systemd"sv,
                                 "usr/lib/tmpfiles.d"sv,
                                 "usr/lib/sysusers.d"sv,
                                 "usr/lib/udev"sv,
                                 "usr/lib/binfmt.d"sv,
                                 "usr/lib/mime"sv,
                                 "usr/lib/valgrind"sv,
                                 "usr/include"sv,
                                 "usr/share/perl5"sv,
                                 "usr/share/glib-2.0"sv,
                                 "usr/share/fish"sv,
                                 "usr/share/zsh"sv,
                                 "usr/share/pkgconfig"sv,
                                 "usr/lib/x86_64-linux-gnu/pkgconfig"sv,
                                 "usr/lib/x86_64-linux-gnu/cmake"sv};

// The first that fits decides; {from, to}.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kMoved = {{
    {"usr/lib/x86_64-linux-gnu", "lib"},
    {"usr/lib64", "lib"},
    {"usr/lib", "lib"},
    {"usr/bin", "bin"},
    {"usr/sbin", "sbin"},
    {"usr/libexec", "libexec"},
    {"usr/share", "share"},
}};

// What lies below a directory ("" for itself); nullopt: elsewhere.
std::optional<std::string_view> below(std::string_view path, std::string_view directory) {
  if (!path.starts_with(directory)) {
    return std::nullopt;
  }
  path.remove_prefix(directory.size());
  if (path.empty()) {
    return path;
  }
  return path.front() == '/' ? std::optional(path.substr(1)) : std::nullopt;
}

std::string joined(std::string_view directory, std::string_view rest) {
  return rest.empty() ? std::string(directory) : join_path(directory, rest);
}

// Test suites of modules; torch/testing and its like are used by programs.
bool is_test(std::string_view module_path) {
  const std::vector<std::string_view> parts = split(module_path, '/');
  return std::ranges::any_of(
      parts, [](std::string_view part) { return part == "tests" || part == "test"; });
}

// lib/python3.11/..., where Debian's version-less directory counts for each.
std::optional<std::string> python_path(std::string_view merged, const Layout& layout, bool& mine) {
  mine = false;
  const std::string own = "usr/lib/python" + layout.python;
  for (const std::string& modules :
       {std::string("usr/lib/python3/dist-packages"), own + "/dist-packages"}) {
    if (const auto rest = below(merged, modules)) {
      mine = true;
      return is_test(*rest) ? std::nullopt : std::optional(joined(layout.site_packages(), *rest));
    }
  }
  if (const auto rest = below(merged, own)) {
    mine = true;
    const bool left_out = is_test(*rest) || *rest == "sitecustomize.py" ||
                          *rest == "EXTERNALLY-MANAGED" || rest->starts_with("__pycache__");
    return left_out ? std::nullopt : std::optional(joined("lib/python" + layout.python, *rest));
  }
  return std::nullopt;
}

}  // namespace

std::string Layout::site_packages() const {
  return noarch ? "site-packages" : "lib/python" + python + "/site-packages";
}

std::string merged_path(std::string_view path) {
  std::string plain = normal_path(path);
  while (plain.starts_with("/") || plain.starts_with("./")) {
    plain.erase(0, plain.find('/') + 1);
  }
  for (const std::string_view top : {"bin"sv, "sbin"sv, "lib"sv, "lib64"sv}) {
    if (below(plain, top)) {
      return "usr/" + plain;
    }
  }
  return plain;
}

std::optional<std::string> prefix_path(std::string_view merged, const Layout& layout) {
  bool python = false;
  std::optional<std::string> module = python_path(merged, layout, python);
  if (python) {
    return module;
  }
  const bool other_python =
      merged.starts_with("usr/lib/python2") || merged.starts_with("usr/lib/python3");
  const bool left_out = other_python || merged.ends_with(".a") || merged.ends_with(".la") ||
                        std::ranges::any_of(kLeftOut, [&](std::string_view one) {
                          return below(merged, one).has_value();
                        });
  if (left_out) {
    return std::nullopt;
  }
  for (const auto& [from, to] : kMoved) {
    if (const auto rest = below(merged, from)) {
      return joined(layout.noarch && to == "bin" ? "python-scripts" : to, *rest);
    }
  }
  return std::nullopt;
}

std::string installed_path(std::string_view path, const Layout& layout) {
  if (layout.noarch) {
    if (const auto rest = below(path, "site-packages")) {
      return joined("lib/python" + layout.python + "/site-packages", *rest);
    }
    if (const auto rest = below(path, "python-scripts")) {
      return joined("bin", *rest);
    }
  }
  return std::string(path);
}

std::string relative_path(std::string_view from_directory, std::string_view to) {
  const std::vector<std::string_view> from_parts =
      from_directory.empty() ? std::vector<std::string_view>() : split(from_directory, '/');
  const std::vector<std::string_view> to_parts =
      to.empty() ? std::vector<std::string_view>() : split(to, '/');
  std::size_t same = 0;
  while (same < from_parts.size() && same < to_parts.size() && from_parts[same] == to_parts[same]) {
    ++same;
  }
  std::string out;
  for (std::size_t i = same; i < from_parts.size(); ++i) {
    out += out.empty() ? ".." : "/..";
  }
  for (std::size_t i = same; i < to_parts.size(); ++i) {
    out += out.empty() ? "" : "/";
    out += to_parts[i];
  }
  return out.empty() ? "." : out;
}

}  // namespace cloche::debian_channel
