// The rows of a workspace's database: each function is one or a few statements and knows no rules;
// those are workspace.cc's. Changes are to be made inside a Transaction.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "workspace/database.h"
#include "workspace/workspace.h"

namespace cloche::workspace {

struct EnvironmentRow {
  std::int64_t id = 0;
  std::string name = {};
  bool archived = false;
  std::int64_t next_number = 1;  // the version that is given next
};

// A version with what belongs to it from the other tables. JSON as text, times in milliseconds.
struct VersionRow {
  std::int64_t id = 0;
  std::int64_t environment_id = 0;
  std::string name = {};
  std::string version = {};
  std::string fingerprint = {};
  std::string kind = {};
  bool archived = false;              // itself
  bool environment_archived = false;  // all of them
  bool latest = false;
  std::int64_t created_at = 0;
  std::int64_t modified_at = 0;
  std::string created_by = {};
  std::string description = {};
  std::string tags = {};
  std::string properties = {};
  std::string digest = {};  // of the definition's text
  std::string definition = {};
  std::string locations = {};
};

// What a list shows of an environment, with the tags that a filter looks at.
struct SummaryRow {
  EnvironmentSummary summary;
  std::string tags = {};
};

struct EventRow {
  std::int64_t at = 0;
  std::string user = {};
  std::string action = {};
  std::string name = {};
  std::string version = {};
  std::string detail = {};
};

// Which lock is asked for; `target` is the digest of the virtual packages.
struct LockRowKey {
  std::string_view fingerprint;
  std::string_view platform;
  std::string_view target;
};

struct LockRow {
  std::int64_t id = 0;
  std::string fingerprint = {};
  std::string platform = {};
  std::string target = {};
  std::string digest = {};
  std::string body = {};  // "" in a history
  std::int64_t package_count = 0;
  std::int64_t created_at = 0;
  std::string created_by = {};
  std::string detail = {};
};

class Catalog {
 public:
  // The database outlives the catalog.
  explicit Catalog(Database& database) : database_(&database) {}

  Result<std::optional<EnvironmentRow>> find_environment(std::string_view name);
  Result<EnvironmentRow> add_environment(std::string_view name);

  Result<std::optional<VersionRow>> find_version(std::string_view name, std::string_view version);
  Result<std::optional<VersionRow>> find_latest(std::string_view name);
  Result<std::optional<VersionRow>> find_labelled(std::string_view name, std::string_view label);
  Result<std::optional<VersionRow>> find_by_fingerprint(std::string_view fingerprint);
  Result<std::vector<VersionRow>> versions(std::string_view name, bool include_archived);

  // Adds a version and makes it the newest and the latest; `next_number` is what the environment
  // gives after it. `row.digest` and `row.definition` are stored once for all versions.
  Status add_version(const VersionRow& row, std::int64_t next_number);
  Status update_version(const VersionRow& row);  // description, tags, modified_at
  Status archive_version(const VersionRow& row, bool archived, std::int64_t now);
  Status archive_environment(std::int64_t environment_id, bool archived);

  Result<std::vector<std::string>> labels_of(std::int64_t version_id);
  Result<std::vector<std::string>> labels(std::int64_t environment_id);
  Status set_label(const VersionRow& row, std::string_view label);
  Result<bool> remove_label(std::int64_t environment_id, std::string_view label);

  // By name, beginning after `after_name`, until `visit` returns false. Anonymous ones are left
  // out.
  Status list(std::string_view after_name, bool include_archived,
              const std::function<bool(SummaryRow)>& visit);

  // At most `limit` names that begin with the same letter, and version names: for hints.
  Result<std::vector<std::string>> names_like(std::string_view name, std::int64_t limit);
  Result<std::vector<std::string>> version_names(std::string_view name, std::int64_t limit);

  Status add_event(const EventRow& event);
  Result<std::vector<Event>> events(std::string_view name, std::string_view version);

  Result<std::optional<LockRow>> find_lock(const LockRowKey& key);  // the newest
  Result<std::optional<LockRow>> find_lock_by_digest(std::string_view digest);
  Result<std::vector<LockRow>> locks_of(std::string_view fingerprint);  // the newest of each key
  Result<std::vector<LockRow>> lock_history(std::string_view fingerprint);  // oldest first
  Status add_lock(const LockRow& row);
  Status each_current_lock(const std::function<Status(const LockRow&)>& visit);

  // Each stored definition once, with the name and version that had it first.
  Status each_definition(const std::function<Status(const VersionRow&)>& visit);

  Result<std::vector<Workspace::Registry>> registries();
  Status add_registry(const Workspace::Registry& registry);

 private:
  Result<std::optional<VersionRow>> one_version(std::string_view condition, std::string_view first,
                                                std::string_view second = {});
  Result<std::int64_t> definition_id(const VersionRow& row);

  Database* database_;
};

}  // namespace cloche::workspace
