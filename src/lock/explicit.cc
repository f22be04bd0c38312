#include "lock/explicit.h"

#include <map>
#include <utility>

#include <fmt/format.h>

#include "core/text.h"
#include "lock/artifact_url.h"
#include "lock/foreign.h"
#include "lock/words.h"
#include "package/conda/platform.h"

namespace cloche::lock {
namespace {

constexpr std::string_view kMark = "@EXPLICIT";
constexpr std::string_view kPlatform = "platform:";
constexpr std::size_t kMaxLine = 8192;

class Reader {
 public:
  Reader(const std::string& file, const ImportOptions& options) : file_(file), options_(options) {}

  Result<Lock> run(std::string_view text) {
    Lock out;
    bool marked = false;
    for (const std::string_view raw : split_lines(text)) {
      ++line_;
      const std::string_view line = trim(raw);
      if (line.size() > kMaxLine) {
        return refuse_line(line, "the line is too long");
      }
      if (line.empty()) {
        continue;
      }
      if (line.starts_with('#')) {
        TRY(comment(line));
      } else if (line == kMark) {
        marked = true;
      } else {
        out.conda.packages.push_back(TRY(package(line)));
      }
    }
    if (!marked) {
      return refuse_line("", "no line says @EXPLICIT")
          .with_hint(
              "`conda list --explicit --md5` writes such a file; a list of specs is no lock");
    }
    out.platform = platform_.empty() ? options_.platform : platform_;
    fill_channels(out);
    sort(out);
    return out;
  }

 private:
  Error refuse_line(std::string_view line, std::string message) const {
    return make_error(ErrorKind::kInvalid, "{}", message)
        .with_location({file_, line.empty() ? 0 : line_, line.empty() ? 0 : 1},
                       std::string(line.substr(0, kMaxLine)));
  }

  Status comment(std::string_view line) {
    const std::string_view says = trim(line.substr(1));
    if (!says.starts_with(kPlatform)) {
      return {};
    }
    const std::string_view platform = trim(says.substr(kPlatform.size()));
    if (!conda::is_known_subdir(platform)) {
      return refuse_line(line, fmt::format("unknown platform '{}'", printable(platform)));
    }
    return take_platform(line, platform);
  }

  Status take_platform(std::string_view line, std::string_view platform) {
    if (platform.empty() || platform == "noarch" || platform == platform_) {
      return {};
    }
    if (!platform_.empty()) {
      return refuse_line(
          line, fmt::format("the file is for {}, this is for {}", platform_, printable(platform)));
    }
    platform_ = platform;
    return {};
  }

  Result<CondaPackage> package(std::string_view line) {
    const std::size_t hash = line.find('#');
    const std::string_view location = trim(line.substr(0, hash));
    if (!has_scheme(location) || location.find('$') != std::string_view::npos) {
      Error error = refuse_line(line, "a path or a variable is not the same package everywhere");
      error.kind = ErrorKind::kUnsupported;
      return std::move(error).with_hint("write the package's URL (file:///... for a local one)");
    }
    auto record = record_of_url(location);
    if (!record) {
      return std::move(record.error()).with_location({file_, line_, 1}, std::string(line));
    }
    CondaPackage out = {.record = std::move(*record)};
    out.incomplete = true;
    if (hash != std::string_view::npos) {
      TRY(take_hash(line, trim(line.substr(hash + 1)), out.record));
    }
    TRY(take_platform(line, out.record.subdir));
    const auto [first, is_new] = seen_.emplace(out.record.name, line_);
    if (!is_new) {
      return refuse_line(
          line, fmt::format("{} stands twice; first in line {}", out.record.name, first->second));
    }
    return out;
  }

  Status take_hash(std::string_view line, std::string_view hash, conda::PackageRecord& out) {
    constexpr std::string_view kSha256 = "sha256:";
    const bool prefixed = hash.starts_with(kSha256);
    const std::string digits = to_lower(prefixed ? hash.substr(kSha256.size()) : hash);
    if (is_hex(digits, 64)) {
      out.sha256 = digits;
    } else if (is_hex(digits, 32) && !prefixed) {
      out.md5 = digits;
    } else {
      return refuse_line(line, "what follows '#' is neither an md5 nor a sha256");
    }
    return {};
  }

  const std::string& file_;
  const ImportOptions& options_;
  int line_ = 0;
  std::string platform_;
  std::map<std::string, int> seen_;  // name: line
};

std::string hash_of(const conda::PackageRecord& record, const ExportOptions& options) {
  const bool sha256 = !record.sha256.empty() && (options.sha256 || record.md5.empty());
  return sha256 ? "#sha256:" + record.sha256 : record.md5.empty() ? "" : "#" + record.md5;
}

}  // namespace

Result<std::string> write_explicit(const Lock& lock, const ExportOptions& options,
                                   Diagnostics& diagnostics) {
  std::string out = fmt::format(
      "# This file may be used to create an environment using:\n"
      "# $ conda create --name <env> --file <this file>\n"
      "# platform: {}\n{}\n",
      lock.platform, kMark);
  for (const std::size_t place : install_order(lock)) {
    const conda::PackageRecord& record = lock.conda.packages[place].record;
    TRY(check_has_url(record));
    out += record.url + hash_of(record, options) + "\n";
  }
  warn_of_loss(lock, {.format = "an explicit file", .pypi_packages = true}, diagnostics);
  return out;
}

Result<Lock> parse_explicit(std::string_view text, const std::string& file,
                            const ImportOptions& options, Diagnostics& /*diagnostics*/) {
  TRY(check_size(text, file));
  return Reader(file, options).run(text);
}

}  // namespace cloche::lock
