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
#include "definition/asset_reference.h"
#include "definition/environment.h"

namespace cloche::workspace {

// A registered version and what the workspace knows of it.
struct EnvironmentVersion {
  definition::Environment environment;
  std::string fingerprint;  // 32 hex digits
  bool archived = false;    // this version, or the whole environment
  bool curated = false;     // ships with the program, read-only
  std::vector<std::string> labels;
  std::string created_at;  // RFC 3339
  std::string created_by;
  std::string modified_at;
};

// A row of a list: no definition is parsed for it.
struct EnvironmentSummary {
  std::string name;
  std::string latest_version;
  std::string description;
  std::string fingerprint;
  std::string kind;
  std::int64_t version_count = 0;
  bool archived = false;
  std::string created_at;
};

struct Event {
  std::int64_t id = 0;
  std::string at;  // RFC 3339
  std::string user;
  std::string action;  // "created", "updated", "archived", "restored", "labelled", "copied",
                       // "shared", "imported"
  std::string name;
  std::string version;
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
    std::string directory;   // the .cloche directory itself; made when missing
    std::string user;        // written into events
    Clock* clock = nullptr;  // nullptr: the system's
  };

  // Opens, and first creates or migrates forward. kUnsupported: made by a newer program. kCorrupt:
  // not a database. kPermission, kUnavailable. A read-only directory opens for reading.
  static Result<Workspace> open(Options options);
  ~Workspace();
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) noexcept;

  const std::string& directory() const;
  const definition::ReadOptions& read_options() const;  // from <directory>/settings.yaml
  blob::BlobStore& blobs();

  // Registers. Without a version the next number is given. The same name, version and definition
  // again gives the entry that is there (created = false); without a version, the latest with the
  // same definition is given back. kConflict: same name and version, another definition: the
  // message holds the diff, the hint says to leave the version out. kInvalid: a reserved or bad
  // name. Context files are copied into the blob store first.
  struct Registered {
    EnvironmentVersion entry;
    bool created = false;
  };
  Result<Registered> create(const definition::Environment& environment);

  // Registers under the anonymous name with a version by hash; unlisted.
  Result<Registered> create_anonymous(const definition::Environment& environment);

  // kNotFound: with the nearest name, or the versions that there are, as the hint. References into
  // registries resolve there.
  Result<EnvironmentVersion> get(const definition::AssetReference& reference);
  std::optional<EnvironmentVersion> find_by_fingerprint(std::string_view fingerprint);

  Result<std::vector<EnvironmentSummary>> list(const ListOptions& options);
  Result<std::vector<EnvironmentVersion>> versions(const std::string& name, bool include_archived);
  Result<std::vector<Event>> history(const std::string& name, const std::string& version = "");

  Result<EnvironmentVersion> update(const definition::AssetReference& reference,
                                    const VersionUpdate& update);
  // Without a version: the whole environment.
  Status set_archived(const std::string& name, const std::string& version, bool archived);
  // Points a label at a version ("" removes it). "latest" moves by itself and is refused.
  Status set_label(const std::string& name, const std::string& label, const std::string& version);

  // "Create from an existing one and edit": a new environment with the definition of another.
  Result<Registered> copy(const definition::AssetReference& from, const std::string& new_name,
                          const std::string& new_version = "");

  // Registries: named directories (later: servers) where environments are shared across workspaces.
  struct Registry {
    std::string name;
    std::string location;
  };
  Status add_registry(const Registry& registry);
  Result<std::vector<Registry>> registries();
  Result<Registered> share(const definition::AssetReference& reference, const std::string& registry,
                           const std::string& new_name = "", const std::string& new_version = "");

  // One file that holds a version with its context files, for another workspace (`env save`, `env
  // load`).
  Status save(const definition::AssetReference& reference, const std::string& path);
  Result<Registered> load(const std::string& path);

  // Puts the files of a build context below `directory`, as they were registered.
  Status restore_context(const definition::BuildContextBase& context, const std::string& directory);

 private:
  struct State;
  explicit Workspace(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Where the workspace is: $CLOCHE_WORKSPACE, else .cloche/ in `from` or a directory above it, else
// $XDG_DATA_HOME/cloche (~/.local/share/cloche).
std::string find_workspace_directory(const std::string& from);

}  // namespace cloche::workspace
