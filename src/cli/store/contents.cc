#include "cli/store/contents.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "cli/channels.h"
#include "image/layout.h"
#include "image/reachable.h"
#include "io/system.h"
#include "jobs/snapshot.h"

namespace cloche::cli {

Status visit_roots(workspace::Workspace& workspace, const blob::Keep& keep) {
  TRY(workspace.visit_context_files([&](const Digest& digest, const std::string& version) {
    keep(digest, "build context of " + version);
  }));
  for (const workspace::JobRow& job :
       TRY(workspace.run_history().list({.include_archived = true}))) {
    if (!job.code_digest.empty()) {
      const Digest code = TRY(Digest::parse("sha256:" + job.code_digest));
      TRY(jobs::visit_snapshot(code, workspace.blobs(), [&](const Digest& one) {
            keep(one, "code of job " + job.name);
          }).context("in job {}", job.name));
    }
  }
  return image::visit_images(image::Layout(workspace.directory()), keep);
}

Result<std::function<std::string(const Digest&)>> wanted_of(workspace::Workspace& workspace) {
  const auto locked = std::make_shared<std::set<Digest>>();  // std::function copies what it holds
  TRY(workspace.visit_locked_packages([&](const Digest& archive) { locked->insert(archive); }));
  return std::function<std::string(const Digest&)>(
      [locked](const Digest& digest) { return locked->contains(digest) ? "locked here" : ""; });
}

std::string cache_place() {
  source::Surroundings surroundings;
  for (const char* name : {"CLOCHE_CACHE", "XDG_CACHE_HOME", "HOME"}) {
    if (std::string value = io::environment_variable(name); !value.empty()) {
      surroundings.environment[name] = std::move(value);
    }
  }
  surroundings.home = surroundings.variable("HOME");
  return cache_directory(surroundings);
}

Json garbage_record(const blob::GarbageReport& report) {
  Json removed = Json::array();
  for (const blob::GarbageReport::Removed& one : report.removed) {
    removed.push(Json::object()
                     .set("path", one.path)
                     .set("size", static_cast<std::int64_t>(one.size_bytes))
                     .set("why", one.why));
  }
  std::vector<std::pair<std::string, blob::GarbageReport::Kept>> reasons(report.kept.begin(),
                                                                         report.kept.end());
  std::ranges::stable_sort(reasons, [](const auto& a, const auto& b) {
    return a.second.size_bytes > b.second.size_bytes;
  });
  Json kept = Json::array();
  for (const auto& [why, one] : reasons) {
    kept.push(Json::object()
                  .set("why", why)
                  .set("count", static_cast<std::int64_t>(one.count))
                  .set("size", static_cast<std::int64_t>(one.size_bytes)));
  }
  return Json::object()
      .set("removed", std::move(removed))
      .set("removed_size", static_cast<std::int64_t>(report.removed_bytes))
      .set("kept", std::move(kept))
      .set("kept_size", static_cast<std::int64_t>(report.kept_bytes));
}

}  // namespace cloche::cli
