#include "cli/env/building.h"

#include <utility>

#include <fmt/format.h>

#include "blob/lease.h"
#include "build/base_image.h"
#include "build/bootstrap.h"
#include "cli/base_library.h"
#include "cli/env/base.h"
#include "cli/progress_display.h"
#include "definition/fingerprint.h"

namespace cloche::cli {
namespace {

// The first build decides which image the base's name means, for good: into the lock with it.
Status freeze_base(const image::BaseImage& base, const Subject& subject, Locked& locked,
                   Context& context) {
  lock::Lock lock = locked.entry.lock;
  if (!lock.base_image || base.digest.empty() || !lock.base_image->digest.empty()) {
    return {};
  }
  lock.base_image->digest = base.digest.to_string();
  lock.base_image->origin = build::is_bootstrapped(base.config) ? "bootstrap" : "";
  workspace::Workspace::LockChange change;
  change.name = subject.from_file ? "" : subject.entry.environment.name;
  change.version = subject.from_file ? "" : subject.entry.environment.version;
  change.detail = fmt::format("base image {} is {}", base.reference, base.digest.to_string());
  change.replaces = locked.entry.digest;
  locked.entry = TRY(TRY(context.workspace())->put_lock(lock, change)).entry;
  return {};
}

// The image that locking asks which glibc it has; none where the workspace does not have it yet.
Digest base_before(const Subject& subject, const LockingOptions& options, Context& context) {
  const auto platform = image::parse_platform(options.platform);
  const auto base =
      platform
          ? build::local_base(definition::image_reference(subject.entry.environment.definition),
                              *platform, image::Layout(context.workspace_directory()))
          : Result<image::BaseImage>(platform.error());
  return base ? base->digest : Digest();
}

// A base that was fetched only now may have an older glibc than the lock was solved for.
Result<bool> must_lock_again(const image::BaseImage& base, const Digest& before,
                             const Locked& locked, const LockingOptions& options,
                             const ChannelAccess& access, const std::stop_token& stop,
                             Context& context) {
  if (base.digest == before || !access.asks_base(options.virtual_packages)) {
    return false;
  }
  const image::Layout layout(context.workspace_directory());
  const image::CLibrary library = TRY(base_library(base, layout, stop, context));
  return !TRY(image::unmet_needs(build::needs_of(locked.entry.lock), library)).empty();
}

// A look-up writes nothing where the name is the image's already.
Status set_name(const image::Layout& layout, const std::string& name,
                const image::Descriptor& manifest) {
  const auto now = layout.find(name);
  return now && now->digest == manifest.digest ? Status() : layout.set(name, manifest);
}

}  // namespace

Result<BuildBasis> build_basis(const Subject& subject, const LockingOptions& options,
                               ChannelAccess& access, const std::stop_token& stop,
                               Context& context) {
  const Digest before = base_before(subject, options, context);
  build::LockRequest locking = TRY(locking_request(subject, options, access, stop, context));
  Locked locked = TRY(find_or_make_lock(subject, locking, options, access, stop, context));
  image::Layout layout(TRY(context.workspace())->directory());
  const BaseRequest base_request{subject.entry.environment.definition, locked.entry.lock, layout,
                                 options.offline};
  image::BaseImage base = TRY(find_base(base_request, access, stop, context));
  if (TRY(must_lock_again(base, before, locked, options, access, stop, context))) {
    build::LockRequest again = TRY(locking_request(subject, options, access, stop, context));
    locked = TRY(find_or_make_lock(subject, again, options, access, stop, context));
  }
  TRY(freeze_base(base, subject, locked, context));
  return BuildBasis{std::move(locked), std::move(base), std::move(layout)};
}

build::BuildRequest build_request(const Subject& subject, const BuildBasis& basis,
                                  const LockingOptions& options) {
  return {.definition = subject.entry.environment.definition,
          .lock = basis.locked.entry.lock,
          .base = basis.base,
          .layout = basis.layout,
          .offline = options.offline};
}

Result<std::string> name_image(const Subject& subject, const BuildBasis& basis,
                               const image::Descriptor& manifest) {
  std::string name = definition::image_name(subject.entry.fingerprint);
  TRY(set_name(basis.layout, name, manifest));
  const definition::Environment& environment = subject.entry.environment;
  const std::string version = environment.name + ":" + environment.version;
  // An environment tiny:1 on an image tiny:1: the base keeps its name, or it would be lost.
  if (!subject.from_file && !environment.version.empty() && version != basis.base.reference) {
    TRY(set_name(basis.layout, version, manifest));
  }
  return name;
}

Result<EnvironmentImage> find_or_build_image(const Subject& subject, const LockingOptions& options,
                                             ChannelAccess& access, const std::stop_token& stop,
                                             Context& context) {
  const BuildBasis basis = TRY(build_basis(subject, options, access, stop, context));
  const build::BuildRequest request = build_request(subject, basis, options);
  // Until the image has a name no root leads to it; also one that another definition was built to.
  const auto lease = TRY(blob::Lease::take_where_writable(basis.layout.root()));
  if (const auto found = TRY(build::find_build(request))) {
    std::string name = TRY(name_image(subject, basis, *found));
    return EnvironmentImage{*found, std::move(name), true, basis.locked.entry.digest};
  }
  ProgressDisplay progress(context.terminal(), access.clock(), progress_form(context));
  auto outcome = build::build_environment(request, access.channels(), stop, progress);
  progress.clear();
  const build::BuildOutcome built = TRY(std::move(outcome));
  std::string name = TRY(name_image(subject, basis, built.manifest));
  return EnvironmentImage{built.manifest, std::move(name), false, basis.locked.entry.digest};
}

}  // namespace cloche::cli
