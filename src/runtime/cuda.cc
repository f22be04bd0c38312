#include "runtime/cuda.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <compare>
#include <optional>

#include <fmt/format.h>

#include "core/ascii.h"
#include "core/files.h"
#include "core/text.h"
#include "image/environment_image.h"
#include "package/conda/match_spec.h"
#include "package/conda/matching.h"

namespace cloche::runtime {
namespace {

using Numbers = std::array<int, 3>;

struct Branch {
  int driver = 0;
  int major = 0;
  int minor = 0;
};

// The CUDA that came with each branch of the driver and is the most that nvidia-smi tells of it
// (CUDA Toolkit release notes, "CUDA Toolkit and Corresponding Driver Versions").
constexpr std::array kBranches = std::to_array<Branch>(
    {{352, 7, 5},  {367, 8, 0},  {375, 8, 0},  {384, 9, 0},  {387, 9, 1},  {390, 9, 1},
     {396, 9, 2},  {410, 10, 0}, {418, 10, 1}, {440, 10, 2}, {450, 11, 0}, {455, 11, 1},
     {460, 11, 2}, {465, 11, 3}, {470, 11, 4}, {495, 11, 5}, {510, 11, 6}, {515, 11, 7},
     {520, 11, 8}, {525, 12, 0}, {530, 12, 1}, {535, 12, 2}, {545, 12, 3}, {550, 12, 4},
     {555, 12, 5}, {560, 12, 6}, {565, 12, 7}, {570, 12, 8}, {575, 12, 9}, {580, 13, 0},
     {590, 13, 1}});

// Since CUDA 11 a driver runs what was made for any CUDA of its major version (NVIDIA's "CUDA
// Compatibility", minor version compatibility).
constexpr int kFirstCompatibleMajor = 11;

constexpr std::array<std::string_view, 4> kPackages = {"cuda-version", "pytorch-cuda",
                                                       "cudatoolkit", "cuda-cudart"};

// Up to three numbers with dots between; what follows is not looked at.
std::optional<Numbers> numbers_of(std::string_view text) {
  Numbers out{};
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const bool digit = at != end && is_digit(*at);  // from_chars takes "-0"
    const auto [next, error] = std::from_chars(at, end, out[i]);
    if (!digit || error != std::errc()) {
      return i == 0 ? std::nullopt : std::optional(out);
    }
    if (next == end || *next != '.') {
      break;
    }
    at = next + 1;
  }
  return out;
}

std::optional<Branch> branch_of(std::string_view driver) {
  const auto numbers = numbers_of(driver);
  if (!numbers || numbers->front() < kBranches.front().driver) {
    return std::nullopt;
  }
  // Newer than the table: it may have anything.
  constexpr int kNextBranch = 5;
  if (numbers->front() >= kBranches.back().driver + kNextBranch) {
    return std::nullopt;
  }
  const auto after = std::ranges::upper_bound(kBranches, numbers->front(), {}, &Branch::driver);
  return *std::prev(after);
}

// The first branch of the driver that runs what was made for this CUDA; 0: newer than the table.
int driver_for(const Numbers& cuda) {
  const Numbers least = {cuda[0], cuda[0] >= kFirstCompatibleMajor ? 0 : cuda[1], 0};
  const auto found = std::ranges::find_if(
      kBranches, [&](const Branch& one) { return Numbers{one.major, one.minor, 0} >= least; });
  return found == kBranches.end() ? 0 : found->driver;
}

Error too_old(std::string_view what, std::string_view said_by, std::string_view driver,
              int remedy) {
  const std::string highest = highest_cuda(driver);
  return fail(ErrorKind::kUnsupported,
              "the image needs {} ({}), and the driver of this machine's GPUs, {}, has {} at most",
              printable(what), printable(said_by), printable(driver), highest)
      .with_hint(fmt::format(
          "{}, or ask for packages and a base made for CUDA {} or older (cuda-version<={}); "
          "--env NVIDIA_DISABLE_REQUIRE=1 skips this check",
          remedy == 0 ? std::string("install a newer driver")
                      : fmt::format("install the NVIDIA driver {} or newer", remedy),
          highest, highest));
}

Status check_version(std::string_view version, std::string_view said_by, std::string_view driver,
                     const Branch& branch) {
  const auto cuda = numbers_of(version);
  if (!cuda) {
    return {};
  }
  const bool enough =
      cuda->front() >= kFirstCompatibleMajor
          ? cuda->front() <= branch.major
          : Numbers{(*cuda)[0], (*cuda)[1], 0} <= Numbers{branch.major, branch.minor, 0};
  return enough
             ? Status()
             : Status(too_old(fmt::format("CUDA {}", version), said_by, driver, driver_for(*cuda)));
}

// "cuda>=12.4", "driver<471"; of what is not known here (brand, arch) nobody can say that it does
// not hold.
bool holds(std::string_view condition, std::string_view driver, const Branch& branch) {
  const std::size_t at = condition.find_first_of("<>=!");
  if (at == std::string_view::npos) {
    return true;
  }
  const std::string_view name = condition.substr(0, at);
  const std::size_t after = condition.find_first_not_of("<>=!", at);
  const std::string_view sign = condition.substr(at, after - at);
  const auto asked =
      after == std::string_view::npos ? std::nullopt : numbers_of(condition.substr(after));
  const auto have = name == "cuda"     ? std::optional(Numbers{branch.major, branch.minor, 0})
                    : name == "driver" ? numbers_of(driver)
                                       : std::nullopt;
  if (!asked || !have) {
    return true;
  }
  const auto order = *have <=> *asked;
  return sign == ">="   ? order >= 0
         : sign == ">"  ? order > 0
         : sign == "<=" ? order <= 0
         : sign == "<"  ? order < 0
         : sign == "!=" ? order != 0
                        : order == 0;
}

// Blanks mean "or", commas "and" (libnvidia-container).
bool is_met(std::string_view requirement, std::string_view driver, const Branch& branch) {
  const std::string plain = collapse_blanks(requirement);
  if (plain.empty()) {
    return true;
  }
  const auto alternatives = split(plain, ' ');
  return std::ranges::any_of(alternatives, [&](std::string_view one) {
    return std::ranges::all_of(split(one, ','), [&](std::string_view condition) {
      return holds(condition, driver, branch);
    });
  });
}

// "__cuda >=12.4": what conda itself would have refused to install on this machine.
Status check_spec(const std::string& text, std::string_view driver) {
  const auto spec = conda::parse_match_spec(text);
  if (!spec || spec->name != "__cuda" || spec->version.empty()) {
    return {};
  }
  const auto versions = conda::VersionSpec::parse(spec->version);
  const auto matcher = versions ? conda::VersionMatcher::compile(*versions)
                                : Result<conda::VersionMatcher>(versions.error());
  const auto have = conda::Version::parse(highest_cuda(driver));
  if (!matcher || !have || matcher->matches(*have)) {
    return {};
  }
  const std::size_t digit = spec->version.find_first_of("0123456789");
  const auto asked =
      numbers_of(std::string_view(spec->version).substr(std::min(digit, spec->version.size())));
  int remedy = 0;
  if (asked) {
    const auto found = std::ranges::find_if(kBranches, [&](const Branch& one) {
      return Numbers{one.major, one.minor, 0} >= Numbers{(*asked)[0], (*asked)[1], 0};
    });
    remedy = found == kBranches.end() ? 0 : found->driver;
  }
  return too_old("CUDA " + spec->version, "its packages depend on " + text, driver, remedy);
}

std::string value_of(const std::map<std::string, std::string>& variables, const char* name) {
  const auto found = variables.find(name);
  return found == variables.end() ? "" : found->second;
}

}  // namespace

CudaNeeds cuda_needs(const image::Manifest& manifest, const image::ImageConfig& config) {
  CudaNeeds out;
  const auto found = image::environment_of({.manifest = manifest, .config = config});
  if (!found || !*found) {
    return out;
  }
  const image::Environment& environment = **found;
  for (const image::EnvironmentLayer& layer : environment.layers) {
    for (const std::string& one : layer.packages) {
      const std::string_view name = std::string_view(one).substr(0, one.find(' '));
      if (std::ranges::find(kPackages, name) != kPackages.end()) {
        out.packages.push_back(one);
      }
    }
  }
  std::ranges::copy_if(environment.settings.needs, std::back_inserter(out.specs),
                       [](const std::string& one) { return one.starts_with("__cuda"); });
  return out;
}

std::string nvidia_driver(std::string_view proc_text, const CdiEdits& edits) {
  constexpr std::string_view kLine = "NVRM version:";
  for (const std::string_view line : split_lines(proc_text)) {
    if (!line.starts_with(kLine)) {
      continue;
    }
    const std::string plain = collapse_blanks(line);
    for (const std::string_view word : split(plain, ' ')) {
      const bool version = word.find('.') != std::string_view::npos &&
                           word.find_first_not_of("0123456789.") == std::string_view::npos;
      if (version && numbers_of(word)) {
        return std::string(word);
      }
    }
  }
  for (const CdiMount& one : edits.mounts) {
    constexpr std::string_view kLibrary = "libcuda.so.";
    std::string_view name = base_name(one.host_path);
    if (name.starts_with(kLibrary)) {
      name.remove_prefix(kLibrary.size());
      if (name.find('.') != std::string_view::npos && numbers_of(name)) {
        return std::string(name);
      }
    }
  }
  return "";
}

std::string highest_cuda(std::string_view driver) {
  const auto branch = branch_of(driver);
  return branch ? fmt::format("{}.{}", branch->major, branch->minor) : "";
}

Status check_cuda(const CudaNeeds& needs, const std::map<std::string, std::string>& variables,
                  std::string_view driver) {
  const auto branch = branch_of(driver);
  const std::string disabled = value_of(variables, "NVIDIA_DISABLE_REQUIRE");
  if (!branch || (!disabled.empty() && disabled != "0" && disabled != "false")) {
    return {};
  }
  // The image's own word on drivers is more exact than its version: it knows of those that an older
  // one can be made to work with.
  const std::string requirement = value_of(variables, "NVIDIA_REQUIRE_CUDA");
  const std::string version = value_of(variables, "CUDA_VERSION");
  if (!requirement.empty()) {
    if (!is_met(requirement, driver, *branch)) {
      const auto cuda = numbers_of(version);
      return too_old(version.empty() ? "a newer CUDA" : "CUDA " + version,
                     "NVIDIA_REQUIRE_CUDA=" + requirement, driver, cuda ? driver_for(*cuda) : 0);
    }
  } else if (!version.empty()) {
    TRY(check_version(version, "CUDA_VERSION=" + version, driver, *branch));
  }
  for (const std::string& one : needs.packages) {
    const std::size_t blank = one.find(' ');
    TRY(check_version(blank == std::string::npos ? "" : std::string_view(one).substr(blank + 1),
                      "its package " + one, driver, *branch));
  }
  for (const std::string& one : needs.specs) {
    TRY(check_spec(one, driver));
  }
  return {};
}

}  // namespace cloche::runtime
