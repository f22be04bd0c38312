#include "cli/env/locking.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "build/build_environment.h"
#include "build/debian_base.h"
#include "cli/base_library.h"
#include "cli/env/base.h"
#include "cli/progress_display.h"
#include "core/files.h"
#include "core/text.h"
#include "image/layout.h"
#include "source/debian/apt_sources.h"

namespace cloche::cli {
namespace {

Result<std::chrono::steady_clock::time_point> deadline(const std::string& text) {
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds <= 0) {
    return fail(ErrorKind::kUsage, "--timeout is a number of seconds, not '{}'", printable(text));
  }
  return std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
}

Result<lock::Lock> solve(const build::LockRequest& request, ChannelAccess& access,
                         const std::stop_token& stop, Context& context) {
  ProgressDisplay progress(context.terminal(), access.clock(), progress_form(context));
  Diagnostics diagnostics;
  auto outcome = build::lock_environment(request, access.channels(), stop, progress, diagnostics);
  progress.clear();
  context.say(diagnostics);
  return TRY(std::move(outcome)).lock;
}

Result<Locked> keep(const Subject& subject, const lock::Lock& made,
                    const std::optional<workspace::StoredLock>& before, Context& context) {
  Locked out;
  workspace::Workspace::LockChange change;
  change.name = subject.from_file ? "" : subject.entry.environment.name;
  change.version = subject.from_file ? "" : subject.entry.environment.version;
  out.state = "locked";
  if (before) {
    out.changes = lock::diff(before->lock, made);
    change.replaces = before->digest;
    change.action = "upgraded";
    change.detail = lock::summary(out.changes);
    out.state = out.changes.empty() ? "unchanged" : "upgraded";
  }
  auto put = TRY(TRY(context.workspace())->put_lock(made, change));
  out.entry = std::move(put.entry);
  if (!put.stored && out.state == "locked") {
    out.state = "kept";  // somebody else was faster
  }
  return out;
}

bool has_package(const lock::Lock& lock, const std::string& name) {
  return std::ranges::any_of(
             lock.conda.packages,
             [&](const lock::CondaPackage& one) { return one.record.name == name; }) ||
         std::ranges::find(lock.debian.packages, name, &lock::DebianPackage::name) !=
             lock.debian.packages.end();
}

Status check_upgrades(const LockingOptions& options, const lock::Lock& lock) {
  for (const std::string& name : options.upgrade) {
    if (!has_package(lock, name)) {
      return fail(ErrorKind::kNotFound, "the lock has no package '{}' to upgrade", printable(name))
          .with_hint("see what it has with cloche env lock");
    }
  }
  return {};
}

// A lock from before the base was fetched stays while the base has what its packages ask for:
// fetching an image locks nothing anew.
Status keep_earlier_target(const Subject& subject, const LockingOptions& options,
                           const ChannelAccess& access, const image::CLibrary& library,
                           build::LockRequest& request, Context& context) {
  const auto workspace = context.workspace(false);
  if (!workspace || TRY((*workspace)->find_lock(lock_key(subject, request)))) {
    return {};
  }
  Diagnostics said_already;
  build::LockRequest earlier = request;
  earlier.virtual_packages =
      TRY(access.virtual_packages(options.platform, {}, options.virtual_packages, said_already));
  const auto lock = TRY((*workspace)->find_lock(lock_key(subject, earlier)));
  if (lock && TRY(image::unmet_needs(build::needs_of(lock->lock), library)).empty()) {
    request.virtual_packages = std::move(earlier.virtual_packages);
  }
  return {};
}

bool has_apt(const definition::Definition& definition) {
  return definition.apt && !definition.apt->packages.empty();
}

// What the base has installed; the base is the lock's, where one was fixed.
Result<build::DebianBase> debian_base(const build::LockRequest& request,
                                      const std::optional<workspace::StoredLock>& before,
                                      ChannelAccess& access, const std::stop_token& stop,
                                      Context& context) {
  const image::Layout layout(context.workspace_directory());
  lock::Lock known;
  if (before) {
    known = before->lock;
  }
  known.platform = request.platform;
  const image::BaseImage base =
      TRY(find_base({.definition = request.definition,
                     .lock = known,
                     .layout = layout,
                     .offline = request.repodata.offline},
                    access, stop, context)
              .context("apt's packages are locked against what the base image has installed"));
  return build::debian_base(base, layout.blobs(),
                            join_path(access.cache_directory(), "debian/base"), stop);
}

Status read_apt_sources(const LockingOptions& options, build::LockRequest& request,
                        Context& context) {
  if (options.apt_sources.empty()) {
    return {};
  }
  Diagnostics diagnostics;
  const std::string text = TRY(context.files().read(options.apt_sources, kMaxTextBytes));
  auto sources = source::parse_apt_sources(text, options.apt_sources, diagnostics);
  context.say(diagnostics);
  request.debian.sources = TRY(std::move(sources));
  if (request.debian.sources.empty()) {
    return fail(ErrorKind::kInvalid, "{} names no source of packages",
                printable(options.apt_sources));
  }
  return {};
}

}  // namespace

Result<build::LockRequest> locking_request(const Subject& subject, const LockingOptions& options,
                                           const ChannelAccess& access, const std::stop_token& stop,
                                           Context& context) {
  build::LockRequest request{.definition = subject.entry.environment.definition};
  request.platform = options.platform;
  image::CLibrary library;
  if (access.asks_base(options.virtual_packages)) {
    library = TRY(base_library(definition::image_reference(request.definition), options.platform,
                               stop, context));
  }
  Diagnostics diagnostics;
  auto packages =
      access.virtual_packages(options.platform, library, options.virtual_packages, diagnostics);
  context.say(diagnostics);
  request.virtual_packages = TRY(std::move(packages));
  if (library.kind != image::CLibrary::Kind::kUnknown && !options.update_all) {
    TRY(keep_earlier_target(subject, options, access, library, request, context));
  }
  const source::ChannelSettings& settings = access.settings();
  request.repodata.offline = options.offline || settings.offline.value_or(false);
  request.repodata.use_shards = settings.use_sharded_repodata.value_or(true);
  request.repodata.refresh = options.refresh;
  request.deadline = TRY(deadline(options.timeout));
  TRY(read_apt_sources(options, request, context));
  return request;
}

workspace::LockKey lock_key(const Subject& subject, const build::LockRequest& request) {
  return {subject.entry.fingerprint, request.platform, request.virtual_packages};
}

Result<Locked> find_or_make_lock(const Subject& subject, build::LockRequest& request,
                                 const LockingOptions& options, ChannelAccess& access,
                                 const std::stop_token& stop, Context& context) {
  workspace::Workspace* const workspace = TRY(context.workspace());
  std::optional<workspace::StoredLock> before =
      TRY(workspace->find_lock(lock_key(subject, request)));
  const bool debian = options.needs_debian && has_apt(request.definition);
  const bool complete = before && (!debian || before->lock.debian.locked);
  if (complete && !options.update_all && options.upgrade.empty()) {
    return Locked{std::move(*before), "kept", {}};
  }
  if (before) {
    TRY(check_upgrades(options, before->lock));
  }
  request.previous = before && !options.update_all ? &before->lock : nullptr;
  request.upgrade = options.upgrade;
  std::optional<build::DebianBase> base;
  if (debian) {
    base = TRY(debian_base(request, before, access, stop, context));
    request.base = &*base;
  }
  const lock::Lock made = TRY(solve(request, access, stop, context));
  return keep(subject, made, before, context);
}

Result<Locked> keep_imported(const Subject& subject, build::LockRequest& request,
                             lock::Lock imported, ChannelAccess& access,
                             const std::stop_token& stop, Context& context) {
  const auto before = TRY(TRY(context.workspace())->find_lock(lock_key(subject, request)));
  const bool complete = std::ranges::all_of(
      imported.conda.packages, [](const lock::CondaPackage& one) { return !one.incomplete; });
  if (complete) {
    lock::sort(imported);
    lock::set_reasons(imported);
    return keep(subject, imported, before, context);
  }
  request.previous = &imported;
  const lock::Lock made = TRY(solve(request, access, stop, context));
  if (const lock::Difference changes = lock::diff(imported, made); !changes.empty()) {
    return fail(ErrorKind::kConflict, "the channels do not have what was locked: {}",
                printable(lock::summary(changes)))
        .with_hint("add the channels that it was locked with to the definition");
  }
  return keep(subject, made, before, context);
}

}  // namespace cloche::cli
