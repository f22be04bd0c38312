// What the workspace needs of stores, for garbage collections.
#include <variant>

#include "definition/definition_json.h"
#include "lock/cloche_lock.h"
#include "workspace/state.h"

namespace cloche::workspace {

Status Workspace::visit_context_files(
    const std::function<void(const Digest& digest, const std::string& version)>& visit) {
  return state_->catalog.each_definition([&](const VersionRow& row) -> Status {
    const std::string version = row.name + ":" + row.version;
    const Json json = TRY(parse_json(row.definition).context("reading {}", version));
    const auto definition =
        TRY(definition::definition_from_json(json).context("reading {}", version));
    if (const auto* context = std::get_if<definition::BuildContextBase>(&definition.base)) {
      for (const definition::ContextFile& file : context->files) {
        if (file.kind == FileKind::kFile) {
          visit(file.digest, version);
        }
      }
    }
    return {};
  });
}

Status Workspace::visit_locked_packages(const std::function<void(const Digest& archive)>& visit) {
  return state_->catalog.each_current_lock([&](const LockRow& row) -> Status {
    Diagnostics ignored;
    const lock::Lock lock = TRY(lock::parse_cloche_lock(row.body, "", ignored)
                                    .context("reading the lock {}", row.digest.substr(0, 12)));
    for (const lock::CondaPackage& package : lock.conda.packages) {
      if (auto digest = Digest::parse("sha256:" + package.record.sha256)) {
        visit(*digest);
      }
    }
    return {};
  });
}

RunHistory Workspace::run_history() {
  return {state_->database, *state_->clock, state_->user, state_->directory, state_->read_only};
}

std::optional<std::uint64_t> Workspace::quota_bytes() const { return state_->settings.quota_bytes; }

}  // namespace cloche::workspace
