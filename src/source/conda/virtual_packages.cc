#include "source/conda/virtual_packages.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/ascii.h"
#include "core/text.h"
#include "package/conda/platform.h"
#include "package/conda/version.h"

namespace cloche::source {
namespace {

using conda::VirtualPackage;

constexpr std::size_t kMaxTextBytes = 64;  // CEP 26

// CEP 30, appendix A, as far as archspec's database has the name.
struct Architecture {
  std::string_view ending;  // of the platform
  std::string_view name;
};
constexpr std::array<Architecture, 10> kArchitectures{{
    {"-32", "x86"},
    {"-64", "x86_64"},
    {"-aarch64", "aarch64"},
    {"-arm64", "aarch64"},
    {"-armv6l", "arm"},
    {"-armv7l", "arm"},
    {"-ppc64", "ppc64"},
    {"-ppc64le", "ppc64le"},
    {"-riscv64", "riscv64"},
    {"-s390x", "s390x"},
}};

std::string os_of(std::string_view platform) {
  return std::string(platform.substr(0, platform.find('-')));
}

Status check_version(std::string_view text, std::string_view where) {
  if (text.size() <= kMaxTextBytes && conda::Version::parse(text)) {
    return {};
  }
  return fail(ErrorKind::kInvalid, "{} is \"{}\", which is no version", where,
              printable(text.substr(0, kMaxTextBytes)))
      .with_hint("a version like 2.35, without anything around it");
}

// "8.6", or "8.6=..." as CEP 30 allowed before CEP 46 took the build string away; "9.0a" is an
// instruction set, not a device's capability.
std::string_view capability(std::string_view text) {
  text = text.substr(0, text.find('='));
  const std::size_t dot = std::min(text.find('.'), text.size());
  const std::string_view major = text.substr(0, dot);
  const std::string_view minor = text.substr(std::min(dot + 1, text.size()));
  const bool digits = std::ranges::all_of(major, is_digit) && std::ranges::all_of(minor, is_digit);
  return digits && !major.empty() && !minor.empty() ? text : std::string_view();
}

// The part that CEP 30 takes from a kernel's release: two to four numbers at its start.
std::string kernel_version(std::string_view text) {
  std::size_t end = 0;
  int numbers = 0;
  while (numbers < 4) {
    std::size_t next = numbers == 0 ? 0 : end + 1;
    if (numbers > 0 && (end >= text.size() || text[end] != '.')) {
      break;
    }
    const std::size_t begin = next;
    while (next < text.size() && is_digit(text[next])) {
      ++next;
    }
    if (next == begin) {
      break;
    }
    end = next;
    ++numbers;
  }
  return numbers >= 2 ? std::string(text.substr(0, end)) : "";
}

bool is_build(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTextBytes && std::ranges::all_of(text, [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '.' || c == '+';
  });
}

class Packages {
 public:
  Packages(const Target& target, const Surroundings& surroundings, Diagnostics& diagnostics)
      : target_(target),
        surroundings_(surroundings),
        diagnostics_(diagnostics),
        os_(os_of(target.platform)) {}

  Result<std::vector<VirtualPackage>> list() {
    if (!conda::is_known_subdir(target_.platform) || target_.platform == "noarch") {
      return fail(ErrorKind::kInvalid, "{} is no platform", printable(target_.platform))
          .with_hint("one of linux-64, linux-aarch64, ...");
    }
    TRY(add_archspec());
    TRY(add_cuda());
    TRY(add_system("linux", "LINUX", "__linux", target_.linux_kernel, "4.18"));
    TRY(add_glibc());
    TRY(add_system("osx", "OSX", "__osx", target_.osx, "0"));
    TRY(add_system("win", "WIN", "__win", target_.windows, "10.0.17763"));
    if (os_ == "linux" || os_ == "osx" || os_ == "freebsd" || os_ == "emscripten") {
      add("__unix", "0");
    }
    if (override_of("UNIX")) {
      no_effect("UNIX", "__unix is always 0 (CEP 30)");
    }
    std::ranges::sort(out_);
    return std::move(out_);
  }

 private:
  // The variable's value, which may be empty; nothing when it is not set.
  std::optional<std::string> override_of(const std::string& name) const {
    const auto found = surroundings_.environment.find("CONDA_OVERRIDE_" + name);
    return found == surroundings_.environment.end()
               ? std::nullopt
               : std::optional(std::string(trim(found->second)));
  }

  void no_effect(std::string_view name, std::string_view why) {
    diagnostics_.warn("conda-override", {},
                      fmt::format("CONDA_OVERRIDE_{} has no effect: {}", name, why));
  }

  void add(std::string name, std::string version, std::string build = "0") {
    out_.push_back({std::move(name), std::move(version), std::move(build)});
  }

  // "Always present": an empty override is as none.
  Status add_archspec() {
    const auto* const known = std::ranges::find_if(kArchitectures, [&](const Architecture& one) {
      return target_.platform.ends_with(one.ending);
    });
    std::string build = target_.archspec;
    std::string version = "1";
    if (const auto value = override_of("ARCHSPEC"); value && !value->empty()) {
      build = *value;
    } else if (build.empty() && known != kArchitectures.end()) {
      build = known->name;
    } else if (build.empty()) {
      build = target_.platform.substr(target_.platform.find('-') + 1);
      version = "0";
    }
    if (!is_build(build)) {
      return fail(ErrorKind::kInvalid, "\"{}\" is no microarchitecture for __archspec",
                  printable(build.substr(0, kMaxTextBytes)))
          .with_hint("a name of archspec's, such as x86_64_v3 or neoverse_v1");
    }
    add("__archspec", version, build);
    return {};
  }

  Status add_cuda() {
    std::string cuda = target_.cuda;
    if (const auto value = override_of("CUDA")) {
      cuda = *value;  // conda: an empty one says that there is no GPU
    }
    std::string arch = target_.cuda_arch;
    const auto arch_override = override_of("CUDA_ARCH");
    if (arch_override) {
      arch = *arch_override;  // CEP 46: an empty one says that there is no device
    }
    if (cuda.empty()) {
      if (arch_override && !arch.empty()) {
        no_effect("CUDA_ARCH", "without __cuda there is no __cuda_arch (CEP 46)");
      }
      return {};
    }
    TRY(check_version(cuda, "the CUDA version"));
    add("__cuda", cuda);
    if (arch.empty()) {
      return {};
    }
    const std::string_view version = capability(arch);
    if (version.empty() || version.size() > kMaxTextBytes) {
      return fail(ErrorKind::kInvalid, "\"{}\" is no compute capability for __cuda_arch",
                  printable(arch.substr(0, kMaxTextBytes)))
          .with_hint("two numbers, such as 8.0");
    }
    add("__cuda_arch", std::string(version));
    return {};
  }

  Status add_glibc() {
    const auto value = override_of("GLIBC");
    if (os_ != "linux") {
      if (value && !value->empty()) {
        no_effect("GLIBC", fmt::format("the target is {}", target_.platform));
      }
      return {};
    }
    if (value && value->empty()) {  // conda: a system without glibc
      return {};
    }
    const std::string version = value ? *value : target_.glibc.empty() ? "2.35" : target_.glibc;
    TRY(check_version(version, "the glibc version"));
    add("__glibc", version);
    return {};
  }

  // A package that is there exactly on its own system; an empty override is as none.
  Status add_system(std::string_view os, const std::string& variable, const std::string& name,
                    const std::string& declared, std::string_view otherwise) {
    const auto value = override_of(variable);
    const bool overridden = value && !value->empty();
    if (os_ != os) {
      if (overridden) {
        no_effect(variable, fmt::format("the target is {}", target_.platform));
      }
      return {};
    }
    const std::string text = overridden         ? *value
                             : declared.empty() ? std::string(otherwise)
                                                : declared;
    const std::string version = os == "linux" ? kernel_version(text) : text;
    if (version.empty()) {
      return fail(ErrorKind::kInvalid, "\"{}\" is no kernel version for __linux",
                  printable(text.substr(0, kMaxTextBytes)))
          .with_hint("two to four numbers, such as 5.15");
    }
    TRY(check_version(version, name));
    add(name, version);
    return {};
  }

  const Target& target_;
  const Surroundings& surroundings_;
  Diagnostics& diagnostics_;
  std::string os_;
  std::vector<VirtualPackage> out_;
};

}  // namespace

Result<std::vector<VirtualPackage>> virtual_packages(const Target& target,
                                                     const Surroundings& surroundings,
                                                     Diagnostics& diagnostics) {
  return Packages(target, surroundings, diagnostics).list();
}

}  // namespace cloche::source
