#include "cli/env/activated_prefix.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/files.h"
#include "core/json.h"
#include "io/disk_files.h"
#include "io/file.h"

namespace cloche::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxRecordBytes = 65536;
constexpr std::string_view kFolder = "activated";
constexpr std::string_view kLeftover = "cloche-";  // an installation that did not end
constexpr std::chrono::hours kLeftoverAge{24};

std::string record_of(const std::string& prefix) { return prefix + "/conda-meta/cloche-activated"; }

std::uint64_t size_of(const fs::path& folder) {
  std::uint64_t out = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code ignored;
    if (it->is_regular_file(ignored) && !it->is_symlink(ignored)) {
      const auto size = it->file_size(ignored);
      out += ignored ? 0 : size;
    }
  }
  return out;
}

// Why it goes, or "".
Result<std::string> stale(const fs::path& prefix, workspace::Workspace& workspace) {
  const std::string name = prefix.filename().string();
  if (name.starts_with(kLeftover)) {
    std::error_code error;
    const auto written = fs::last_write_time(prefix, error);
    const bool old = !error && fs::file_time_type::clock::now() - written > kLeftoverAge;
    return std::string(old ? "left by work that did not end" : "");
  }
  const auto what = read_activated(prefix.string());
  std::error_code error;
  if (!what) {
    return std::string();
  }
  if (!fs::exists(what->workspace, error) && !error) {
    return std::string("its workspace is gone");
  }
  if (what->workspace != workspace.directory()) {
    return std::string();
  }
  const auto locks = TRY(workspace.locks(what->fingerprint));
  const bool current = std::ranges::any_of(
      locks, [&](const auto& one) { return one.digest.to_string() == what->lock; });
  return std::string(current ? "" : "the environment has another lock now");
}

}  // namespace

std::string activated_place(const std::string& cache, const ActivatedPrefix& what) {
  constexpr std::size_t kDigits = 16;
  const Digest key =
      Digest::of(fmt::format("{}\n{}\n{}", what.workspace, what.fingerprint, what.lock));
  return fmt::format("{}/{}/{}", cache, kFolder, key.hex().substr(0, kDigits));
}

std::optional<ActivatedPrefix> read_activated(const std::string& prefix) {
  const auto text = io::DiskFiles().read(record_of(prefix), kMaxRecordBytes);
  const auto json = text ? parse_json(*text) : Result<Json>(text.error());
  if (!json || !json->is_object() || json->string_or_empty("lock").empty()) {
    return std::nullopt;
  }
  return ActivatedPrefix{.environment = json->string_or_empty("environment"),
                         .fingerprint = json->string_or_empty("fingerprint"),
                         .lock = json->string_or_empty("lock"),
                         .workspace = json->string_or_empty("workspace")};
}

Status write_activated(const std::string& prefix, const ActivatedPrefix& what) {
  const Json json = Json::object()
                        .set("environment", what.environment)
                        .set("fingerprint", what.fingerprint)
                        .set("lock", what.lock)
                        .set("workspace", what.workspace);
  return io::write_file_atomically(record_of(prefix), json.dump(2) + "\n");
}

Status remove_stale_activated(const std::string& cache, workspace::Workspace& workspace,
                              bool dry_run, blob::GarbageReport& report) {
  std::error_code error;
  std::vector<fs::path> all;
  for (const auto& one : fs::directory_iterator(join_path(cache, kFolder), error)) {
    all.push_back(one.path());
  }
  std::ranges::sort(all);
  for (const fs::path& one : all) {
    std::string why = TRY(stale(one, workspace));
    const std::uint64_t bytes = size_of(one);
    if (!why.empty() && !dry_run) {
      fs::remove_all(one, error);
    }
    if (!why.empty() && (dry_run || !fs::exists(one, error))) {
      report.removed.push_back(
          {fmt::format("{}/{}", kFolder, one.filename().string()), bytes, std::move(why)});
      report.removed_bytes += bytes;
      continue;
    }
    blob::GarbageReport::Kept& kept = report.kept["activated environments"];
    ++kept.count;
    kept.size_bytes += bytes;
    report.kept_bytes += bytes;
  }
  return {};
}

}  // namespace cloche::cli
