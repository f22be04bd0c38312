// Environments between workspaces: registries, copies, saved files.
#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "blob/lease.h"
#include "core/files.h"
#include "core/text.h"
#include "definition/fingerprint.h"
#include "workspace/bundle.h"
#include "workspace/context_files.h"
#include "workspace/state.h"

namespace cloche::workspace {
namespace {

std::string absolute(const std::string& path) {
  std::error_code error;
  const auto out = std::filesystem::absolute(path, error);
  return error ? path : normal_path(out.string());
}

Status check_location(const std::string& location) {
  if (location.find("://") != std::string::npos) {
    return fail(ErrorKind::kUnsupported, "{} is a server's address", printable(location))
        .with_hint("a registry is a directory for now: one on a shared disk, for a team");
  }
  if (location.empty()) {
    return fail(ErrorKind::kInvalid, "the registry has no location")
        .with_hint("name the directory that is to hold it");
  }
  return {};
}

Error no_registry(const std::string& name, const std::vector<Workspace::Registry>& there) {
  Error error = make_error(ErrorKind::kNotFound, "no registry {}", printable(name));
  std::vector<std::string_view> names(there.size());
  std::ranges::transform(there, names.begin(), &Workspace::Registry::name);
  if (const std::string_view near = nearest(name, names); !near.empty()) {
    return std::move(error).with_hint(fmt::format("did you mean {}?", near));
  }
  if (to_lower(name) == "azureml") {  // the most frequent registry in public files, by far
    return std::move(error).with_hint(
        "that is Microsoft's own, which is not reachable here: use a curated environment "
        "(cloche env list), or make a registry of this name that holds what you need");
  }
  return std::move(error).with_hint(there.empty()
                                        ? "`cloche registry create NAME --path DIRECTORY` makes one"
                                        : fmt::format("there is {}", fmt::join(names, ", ")));
}

definition::Environment renamed(const EnvironmentVersion& entry, const std::string& name,
                                const std::string& version) {
  definition::Environment out = entry.environment;
  out.name = name;
  out.version = version;
  return out;
}

std::string shown(const EnvironmentVersion& entry) {
  definition::AssetReference out = reference_to(entry.environment.name, entry.environment.version);
  out.registry = entry.registry;
  return out.short_form();
}

}  // namespace

// ---- registries

Status Workspace::add_registry(const Registry& registry) {
  TRY(definition::check_environment_name(registry.name).context("naming a registry"));
  TRY(check_location(registry.location));
  TRY(state_->check_writable());
  const Registry wanted{registry.name, absolute(registry.location)};
  if (wanted.location == absolute(directory())) {
    return fail(ErrorKind::kInvalid, "a workspace cannot be its own registry")
        .with_hint("choose another directory");
  }
  TRY(Workspace::open({.directory = wanted.location, .user = state_->user, .clock = state_->clock})
          .context("making the registry {}", registry.name));
  Transaction transaction = TRY(Transaction::begin(state_->database));
  for (const Registry& one : TRY(registries())) {
    if (one.name == wanted.name) {
      return one.location == wanted.location
                 ? Status()
                 : Status(fail(ErrorKind::kConflict, "registry {} stands for {}", one.name,
                               printable(one.location))
                              .with_hint("choose another name"));
    }
  }
  TRY(state_->catalog.add_registry(wanted));
  return transaction.commit();
}

Result<std::vector<Workspace::Registry>> Workspace::registries() {
  return state_->catalog.registries();
}

Result<Workspace> Workspace::open_registry(const std::string& name) {
  const std::vector<Registry> there = TRY(registries());
  for (const Registry& one : there) {
    if (one.name == name) {
      return Workspace::open({.directory = one.location,
                              .user = state_->user,
                              .clock = state_->clock,
                              .create_missing = false})
          .context("opening the registry {}", name);
    }
  }
  return no_registry(name, there);
}

Result<EnvironmentVersion> Workspace::get_from_registry(
    const definition::AssetReference& reference) {
  Workspace registry = TRY(open_registry(reference.registry));
  definition::AssetReference there = reference;
  there.registry.clear();
  EnvironmentVersion out =
      TRY(registry.get(there).context("in the registry {}", reference.registry));
  out.registry = reference.registry;
  return out;
}

Status Workspace::with_blobs_of(const EnvironmentVersion& entry,
                                const std::function<Status(const blob::BlobStore&)>& use) {
  if (entry.registry.empty()) {
    return use(state_->blobs);
  }
  Workspace registry = TRY(open_registry(entry.registry));
  return use(registry.blobs());
}

// The current locks of a version, where it stands.
Result<std::vector<lock::Lock>> Workspace::locks_of(const EnvironmentVersion& entry) {
  std::vector<StoredLock> stored;
  if (entry.registry.empty()) {
    stored = TRY(locks(entry.fingerprint));
  } else {
    Workspace registry = TRY(open_registry(entry.registry));
    stored = TRY(registry.locks(entry.fingerprint));
  }
  std::vector<lock::Lock> out;
  out.reserve(stored.size());
  for (StoredLock& one : stored) {
    out.push_back(std::move(one.lock));
  }
  return out;
}

Result<Workspace::Registered> Workspace::share(const definition::AssetReference& reference,
                                               const std::string& registry,
                                               const std::string& new_name,
                                               const std::string& new_version) {
  const EnvironmentVersion entry = TRY(get(reference));
  const definition::Environment shared =
      renamed(entry, new_name.empty() ? entry.environment.name : new_name,
              new_version.empty() ? entry.environment.version : new_version);
  TRY(check_new_name(shared.name));
  Workspace target = TRY(open_registry(registry));
  TRY(target.state_->check_writable());
  const blob::Lease lease = TRY(blob::Lease::take(target.blobs().root()));
  TRY(with_blobs_of(entry, [&](const blob::BlobStore& blobs) {
    return copy_context(shared.definition, blobs, target.blobs());
  }));
  Registered out = TRY(target.state_->register_version(
      shared, {.action = "shared", .detail = "from " + directory()}));
  TRY(target.state_->adopt_locks(TRY(locks_of(entry)), out.entry));
  out.entry.registry = registry;
  const bool own = entry.registry.empty() && !entry.curated && !state_->read_only;
  if (out.created && own) {
    Transaction transaction = TRY(Transaction::begin(state_->database));
    TRY(state_->record("shared", entry.environment.name, entry.environment.version,
                       "to " + shown(out.entry)));
    TRY(transaction.commit());
  }
  return out;
}

// ---- copies and saved files

Result<Workspace::Registered> Workspace::copy(const definition::AssetReference& from,
                                              const std::string& new_name,
                                              const std::string& new_version) {
  TRY(check_new_name(new_name));
  const EnvironmentVersion entry = TRY(get(from));
  TRY(state_->check_writable());
  const blob::Lease lease = TRY(blob::Lease::take(state_->blobs.root()));
  if (!entry.registry.empty()) {
    TRY(with_blobs_of(entry, [&](const blob::BlobStore& blobs) {
      return copy_context(entry.environment.definition, blobs, state_->blobs);
    }));
  }
  Registered out =
      TRY(state_->register_version(renamed(entry, new_name, new_version),
                                   {.action = "copied", .detail = "from " + shown(entry)}));
  TRY(state_->adopt_locks(TRY(locks_of(entry)), out.entry));
  return out;
}

Status Workspace::save(const definition::AssetReference& reference, const std::string& path) {
  const EnvironmentVersion entry = TRY(get(reference));
  const Bundle bundle = {entry.environment, TRY(locks_of(entry))};
  return with_blobs_of(
      entry, [&](const blob::BlobStore& blobs) { return write_bundle(bundle, blobs, path); });
}

Result<Workspace::Registered> Workspace::load(const std::string& path, const std::string& new_name,
                                              const std::string& new_version) {
  TRY(state_->check_writable());
  const blob::Lease lease = TRY(blob::Lease::take(state_->blobs.root()));
  Bundle bundle = TRY(read_bundle_file(path, state_->blobs));
  definition::Environment& environment = bundle.environment;
  if (!new_name.empty()) {
    environment.name = new_name;
  }
  if (!new_version.empty()) {
    environment.version = new_version;
  }
  if (environment.name != definition::kAnonymousName) {
    TRY(check_new_name(environment.name));
  }
  Registered out = TRY(state_->register_version(
      environment,
      {.action = "imported", .detail = fmt::format("from {}", printable(base_name(path)))}));
  TRY(state_->adopt_locks(bundle.locks, out.entry));
  return out;
}

Status Workspace::restore_context(const EnvironmentVersion& entry, const std::string& directory) {
  const auto* context =
      std::get_if<definition::BuildContextBase>(&entry.environment.definition.base);
  if (context == nullptr) {
    return fail(ErrorKind::kInvalid, "{} has no build context", shown(entry));
  }
  return with_blobs_of(entry, [&](const blob::BlobStore& blobs) {
    return write_context(*context, blobs, directory);
  });
}

}  // namespace cloche::workspace
