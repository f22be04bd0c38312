// The workspace: environments, their versions, labels and history, in SQLite under one directory.
//
// One object per thread; any number of processes may have the same directory open. Every change is
// one transaction: when a call returns success, it is on disk (kill -9 or a power cut does not undo
// it).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "blob/blob_store.h"
#include "core/clock.h"
#include "core/diagnostic.h"
#include "definition/asset_reference.h"
#include "definition/environment.h"
#include "lock/lock.h"
#include "workspace/run_history.h"

namespace cloche::workspace {

// A registered version and what the workspace knows of it.
struct EnvironmentVersion {
  definition::Environment environment;
  std::string fingerprint;  // 32 hex digits
  bool archived = false;    // this version, or the whole environment
  bool curated = false;     // ships with the program, read-only
  std::string registry;     // the name of the registry it was found in; "" for the workspace
  std::vector<std::string> labels;  // "latest" first, when it is that
  std::string created_at;           // RFC 3339; "" for curated ones
  std::string created_by;
  std::string modified_at;
};

// A row of a list, about the latest version (the newest, when all are archived). No definition is
// parsed for it.
struct EnvironmentSummary {
  std::string name = {};
  std::string latest_version = {};
  std::string description = {};
  std::string fingerprint = {};
  std::string kind = {};
  std::int64_t version_count = 0;
  bool archived = false;
  std::string created_at = {};
};

struct Event {
  std::int64_t id = 0;
  std::string at;  // RFC 3339
  std::string user;
  std::string action;  // "created", "updated", "archived", "restored", "labelled", "copied",
                       // "shared", "imported", "locked", "upgraded"
  std::string name;
  std::string version;
  std::string detail;
};

// Which lock is meant: a definition has one for each platform and target. The target is what the
// virtual packages say of it, so a machine with another CUDA or glibc has a lock of its own, and
// never changes the versions of the others.
struct LockKey {
  std::string fingerprint;
  std::string platform;                                // "linux-64"
  std::vector<lock::VirtualPackage> virtual_packages;  // in any order
};

// A lock as the workspace keeps it.
struct StoredLock {
  lock::Lock lock;
  Digest digest;           // lock::digest_of
  std::string created_at;  // RFC 3339
  std::string created_by;
};

// A row of a lock's history.
struct LockSummary {
  Digest digest;
  std::string platform;
  Digest target;  // lock::target_digest_of
  std::int64_t package_count = 0;
  bool current = false;  // of its platform and target
  std::string created_at;
  std::string created_by;
  std::string detail;
};

struct ListOptions {
  bool include_archived = false;
  bool include_curated = true;
  std::string tag;         // "key" or "key=value"
  std::string after_name;  // paging: names after this one
  int limit = 0;           // 0: no limit
};

// The changes to a version that are allowed; what is absent stays.
struct VersionUpdate {
  std::optional<std::string> description;
  definition::StringMap set_tags;
  std::vector<std::string> remove_tags;
};

class Workspace {
 public:
  struct Options {
    std::string directory = {};  // the .cloche directory itself
    std::string user = {};       // written into events; "": the settings', else the account's name
    Clock* clock = nullptr;      // nullptr: the system's; else it outlives the workspace
    bool create_missing = true;  // false: kNotFound where there is none
  };

  // Opens, and first creates or migrates forward. kUnsupported: made by a newer program. kCorrupt:
  // not a database. kInvalid: settings.yaml, with the line. kPermission, kUnavailable. A read-only
  // directory opens for reading; changes are then kPermission.
  static Result<Workspace> open(const Options& options);
  ~Workspace();
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) noexcept;

  const std::string& directory() const;
  bool read_only() const;
  const definition::ReadOptions& read_options() const;  // from <directory>/settings.yaml
  const Diagnostics& diagnostics() const;               // unknown keys in it
  blob::BlobStore& blobs();

  // Registers. Without a version the next number is given: one more than the largest number there
  // is. The same definition again gives the entry that is there (created = false): under the same
  // version, or, without a version, when `latest` has it; what was registered last is always
  // `latest`. A description or tags that differ are then updated in that entry.
  // kConflict: same name and version, another definition: the message holds the diff, the hint says
  // to leave the version out. kInvalid: a reserved or bad name, or a context file that changed
  // since it was read. Context files are copied into the blob store first.
  struct Registered {
    EnvironmentVersion entry;
    bool created = false;
  };
  Result<Registered> create(const definition::Environment& environment);

  // Registers under the anonymous name, unlisted. The version is the environment's own, when it has
  // one (clients of Azure compute it), else the first 32 digits of the definition's digest.
  Result<Registered> create_anonymous(const definition::Environment& environment);

  // kNotFound: with the nearest name, or the versions that there are, as the hint. References into
  // registries resolve there.
  Result<EnvironmentVersion> get(const definition::AssetReference& reference);

  // The newest version with it that is not archived, else the newest archived one, else a curated
  // one. The cost does not depend on how many there are.
  Result<std::optional<EnvironmentVersion>> find_by_fingerprint(std::string_view fingerprint);

  Result<std::vector<EnvironmentSummary>> list(const ListOptions& options);
  // Newest first. kNotFound: no such environment.
  Result<std::vector<EnvironmentVersion>> versions(const std::string& name, bool include_archived);
  // Oldest first; with a version, what concerned it.
  Result<std::vector<Event>> history(const std::string& name, const std::string& version = "");

  Result<EnvironmentVersion> update(const definition::AssetReference& reference,
                                    const VersionUpdate& update);
  // Without a version: the whole environment, with the versions that will be registered later too
  // (Azure's rule). An archived one is not listed and is not `latest`; its exact version still is
  // found.
  Status set_archived(const std::string& name, const std::string& version, bool archived);
  // Points a label at a version ("" removes it). "latest" moves by itself and is refused.
  Status set_label(const std::string& name, const std::string& label, const std::string& version);

  // "Create from an existing one and edit": a new environment with the definition of another, which
  // may stand in a registry. Without a version: the next number.
  Result<Registered> copy(const definition::AssetReference& from, const std::string& new_name,
                          const std::string& new_version = "");

  // The lock, or nothing where it was never locked. kCorrupt: what is stored is damaged.
  // kUnsupported: a newer program stored it.
  Result<std::optional<StoredLock>> find_lock(const LockKey& key);

  // Keeps a lock under its fingerprint, platform and virtual packages. The first one stays: another
  // one is kept, as the current one, only where it says which one it `replaces`; otherwise
  // `stored` is false and the result is the one that is there, so that two processes that lock the
  // same at once agree. Replaced ones stay in the history. kInvalid: it has no fingerprint.
  struct LockChange {
    std::string name = {};  // for whom it was made: an event in that environment's history; "" none
    std::string version = {};
    std::string action = "locked";  // or "upgraded"
    std::string detail = {};        // "numpy 1.26.4 -> 2.1.0"
    Digest replaces = {};           // the current one's digest; empty: there is none
  };
  struct PutLock {
    StoredLock entry;
    bool stored = false;
  };
  Result<PutLock> put_lock(const lock::Lock& lock, const LockChange& change);

  // The current locks of a definition, one for each platform and target, the newest last.
  Result<std::vector<StoredLock>> locks(const std::string& fingerprint);
  // Everything that was ever the lock of a definition, oldest first.
  Result<std::vector<LockSummary>> lock_history(const std::string& fingerprint);
  // One out of the history. kNotFound.
  Result<StoredLock> get_lock(const Digest& digest);

  // What the workspace's rows refer to: the stored files of build contexts, with the version that
  // brought each definition ("train:3"), and the packages' archives of all current locks, by
  // sha256. Whatever cannot be read is an error, so that nobody takes it for unused.
  Status visit_context_files(
      const std::function<void(const Digest& digest, const std::string& version)>& visit);
  Status visit_locked_packages(const std::function<void(const Digest& archive)>& visit);

  // The jobs. The workspace outlives it.
  RunHistory run_history();

  // `quota` in settings.yaml: how large the person's cache may become.
  std::optional<std::uint64_t> quota_bytes() const;

  // Registries: named directories (later: servers) where environments are shared across workspaces.
  // The directory is laid out as a workspace's, and made when missing.
  struct Registry {
    std::string name;
    std::string location;
  };
  Status add_registry(const Registry& registry);  // kConflict: the name stands for another one
  Result<std::vector<Registry>> registries();

  // Copies a version, with its context files and locks, into a registry under the same name and
  // version unless others are given. kConflict: it holds another definition.
  Result<Registered> share(const definition::AssetReference& reference, const std::string& registry,
                           const std::string& new_name = "", const std::string& new_version = "");

  // One file that holds a version with its context files and locks, for another workspace (`env
  // save`, `env load`). The same version with the same locks gives the same bytes anywhere:
  // docs/formats/bundle.md. Loading keeps name and version unless others are given, and refuses
  // what create() does; a lock that is here already stays.
  Status save(const definition::AssetReference& reference, const std::string& path);
  Result<Registered> load(const std::string& path, const std::string& new_name = "",
                          const std::string& new_version = "");

  // Puts the files of a version's build context below `directory`, as they were registered; the
  // directory is made when missing. Nothing outside it is written, whatever the paths and links
  // say. kConflict: a file is there already. kInvalid: the version has no build context with files.
  Status restore_context(const EnvironmentVersion& entry, const std::string& directory);

 private:
  Result<EnvironmentVersion> get_from_registry(const definition::AssetReference& reference);
  Result<Workspace> open_registry(const std::string& name);
  Result<std::vector<lock::Lock>> locks_of(const EnvironmentVersion& entry);
  // Calls `use` with the blob store that holds an entry's context files.
  Status with_blobs_of(const EnvironmentVersion& entry,
                       const std::function<Status(const blob::BlobStore&)>& use);

  struct State;
  explicit Workspace(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Where the workspace is: $CLOCHE_WORKSPACE, else .cloche/ in `from` or a directory above it, else
// $XDG_DATA_HOME/cloche (~/.local/share/cloche). A .cloche/ of somebody else in a directory where
// everybody may write (/tmp) is passed by: whoever put it there would choose our images.
std::string find_workspace_directory(const std::string& from);

}  // namespace cloche::workspace
