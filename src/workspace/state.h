// What a Workspace holds, and the rules that its functions share. For this module's files only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "io/system.h"
#include "workspace/catalog.h"
#include "workspace/database.h"
#include "workspace/settings.h"
#include "workspace/workspace.h"

namespace cloche::workspace {

// How a version came to be, for its event.
struct Origin {
  std::string action = "created";
  std::string detail = {};
};

struct Workspace::State {
  State(const Options& options, Database opened, bool is_read_only, Settings read);

  std::string directory;
  bool read_only;
  Settings settings;
  Database database;
  Catalog catalog;
  blob::BlobStore blobs;
  io::SystemClock system_clock;
  Clock* clock;
  std::string user;

  // kPermission when nothing can be written here.
  Status check_writable() const;

  // Writes an event with the time and the user.
  Status record(std::string_view action, std::string_view name, std::string_view version,
                std::string_view detail);

  // The version as people see it: definition parsed, labels looked up.
  Result<EnvironmentVersion> entry_of(const VersionRow& row);

  // The row that a reference means; curated ones have none. kNotFound with a hint.
  Result<VersionRow> find_row(const definition::AssetReference& reference);
  Result<EnvironmentRow> find_environment(const std::string& name);
  Result<Error> no_environment(const std::string& name);  // the nearest name in the hint

  // Keeps copies of locks of another workspace where this one has none.
  Status adopt_locks(const std::vector<lock::Lock>& locks, const EnvironmentVersion& entry);

  // All the rules of create(), for an environment whose name was checked.
  Result<Registered> register_version(const definition::Environment& environment,
                                      const Origin& origin);

 private:
  Result<std::optional<VersionRow>> find_same(const VersionRow& draft,
                                              const definition::Definition& definition);
  Result<VersionRow> add(VersionRow draft, const Origin& origin);
  Result<VersionRow> renew(VersionRow row, const definition::Environment& environment);
};

// kInvalid: a reserved prefix, the anonymous name, or no name at all.
Status check_new_name(const std::string& name);

// NAME:VERSION; without a version the label "latest".
definition::AssetReference reference_to(const std::string& name, const std::string& version = "");

// A curated version as people see it.
EnvironmentVersion curated_entry(const definition::Environment& environment);

}  // namespace cloche::workspace
