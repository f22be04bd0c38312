#include "workspace/catalog.h"

#include <limits>
#include <utility>

#include "core/clock.h"

namespace cloche::workspace {
namespace {

// Every column of VersionRow, in its order; a condition follows.
constexpr std::string_view kSelectVersion =
    "SELECT v.id, e.id, e.name, v.version, v.fingerprint, v.kind, v.archived, e.archived,"
    " CASE WHEN e.latest_id = v.id THEN 1 ELSE 0 END, v.created_at, v.modified_at, v.created_by,"
    " v.description, v.tags, v.properties, d.digest, d.body, v.locations"
    " FROM versions v JOIN environments e ON e.id = v.environment_id"
    " JOIN definitions d ON d.id = v.definition_id ";

VersionRow read_version(const Statement& row) {
  VersionRow out;
  out.id = row.integer(0);
  out.environment_id = row.integer(1);
  out.name = row.text(2);
  out.version = row.text(3);
  out.fingerprint = row.text(4);
  out.kind = row.text(5);
  out.archived = row.integer(6) != 0;
  out.environment_archived = row.integer(7) != 0;
  out.latest = row.integer(8) != 0;
  out.created_at = row.integer(9);
  out.modified_at = row.integer(10);
  out.created_by = row.text(11);
  out.description = row.text(12);
  out.tags = row.text(13);
  out.properties = row.text(14);
  out.digest = row.text(15);
  out.definition = row.text(16);
  out.locations = row.text(17);
  return out;
}

// Every column of LockRow, in its order.
constexpr std::string_view kSelectLock =
    "SELECT id, fingerprint, platform, target, digest, body, package_count, created_at, created_by,"
    " detail FROM locks ";

LockRow read_lock(const Statement& row) {
  return {.id = row.integer(0),
          .fingerprint = row.text(1),
          .platform = row.text(2),
          .target = row.text(3),
          .digest = row.text(4),
          .body = row.text(5),
          .package_count = row.integer(6),
          .created_at = row.integer(7),
          .created_by = row.text(8),
          .detail = row.text(9)};
}

Result<std::vector<LockRow>> lock_rows(Statement statement) {
  std::vector<LockRow> out;
  while (TRY(statement.step())) {
    out.push_back(read_lock(statement));
  }
  return out;
}

Result<std::optional<LockRow>> one_lock(Statement row) {
  if (!TRY(row.step())) {
    return std::optional<LockRow>();
  }
  return read_lock(row);
}

Result<std::vector<std::string>> texts(Statement statement) {
  std::vector<std::string> out;
  while (TRY(statement.step())) {
    out.push_back(statement.text(0));
  }
  return out;
}

std::int64_t flag(bool value) { return value ? 1 : 0; }

}  // namespace

Result<std::optional<EnvironmentRow>> Catalog::find_environment(std::string_view name) {
  Statement row = TRY(database_->prepare(
      "SELECT id, name, archived, next_number FROM environments WHERE name = ?"));
  row.bind(name);
  if (!TRY(row.step())) {
    return std::optional<EnvironmentRow>();
  }
  return EnvironmentRow{row.integer(0), row.text(1), row.integer(2) != 0, row.integer(3)};
}

Result<EnvironmentRow> Catalog::add_environment(std::string_view name) {
  Statement row =
      TRY(database_->prepare("INSERT INTO environments (name) VALUES (?) RETURNING id"));
  TRY(row.bind(name).step());
  EnvironmentRow out{.id = row.integer(0), .name = std::string(name)};
  TRY(row.step());
  return out;
}

Result<std::optional<VersionRow>> Catalog::one_version(std::string_view condition,
                                                       std::string_view first,
                                                       std::string_view second) {
  Statement row = TRY(database_->prepare(std::string(kSelectVersion).append(condition)));
  row.bind(first);
  if (!second.empty()) {
    row.bind(second);
  }
  if (!TRY(row.step())) {
    return std::optional<VersionRow>();
  }
  return read_version(row);
}

Result<std::optional<VersionRow>> Catalog::find_version(std::string_view name,
                                                        std::string_view version) {
  return one_version("WHERE e.name = ? AND v.version = ?", name, version);
}

Result<std::optional<VersionRow>> Catalog::find_latest(std::string_view name) {
  return one_version("WHERE e.name = ? AND v.id = e.latest_id", name);
}

Result<std::optional<VersionRow>> Catalog::find_labelled(std::string_view name,
                                                         std::string_view label) {
  return one_version(
      "JOIN labels l ON l.version_id = v.id AND l.environment_id = e.id"
      " WHERE e.name = ? AND l.label = ?",
      name, label);
}

Result<std::optional<VersionRow>> Catalog::find_by_fingerprint(std::string_view fingerprint) {
  return one_version("WHERE v.fingerprint = ? ORDER BY v.archived, v.id DESC LIMIT 1", fingerprint);
}

Result<std::vector<VersionRow>> Catalog::versions(std::string_view name, bool include_archived) {
  Statement row = TRY(database_->prepare(
      std::string(kSelectVersion)
          .append(
              "WHERE e.name = ? AND (v.archived + e.archived = 0 OR ? = 1) ORDER BY v.id DESC")));
  row.bind(name).bind(flag(include_archived));
  std::vector<VersionRow> out;
  while (TRY(row.step())) {
    out.push_back(read_version(row));
  }
  return out;
}

Result<std::int64_t> Catalog::definition_id(const VersionRow& row) {
  TRY(database_->run(
      "INSERT INTO definitions (digest, body) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING",
      row.digest, row.definition));
  Statement found = TRY(database_->prepare("SELECT id FROM definitions WHERE digest = ?"));
  TRY(found.bind(row.digest).step());
  return found.integer(0);
}

Status Catalog::add_version(const VersionRow& row, std::int64_t next_number) {
  const std::int64_t definition = TRY(definition_id(row));
  Statement added = TRY(database_->prepare(
      "INSERT INTO versions (environment_id, version, fingerprint, kind, created_at, modified_at,"
      " created_by, description, tags, properties, definition_id, locations)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"));
  added.bind(row.environment_id).bind(row.version).bind(row.fingerprint).bind(row.kind);
  added.bind(row.created_at).bind(row.modified_at).bind(row.created_by).bind(row.description);
  added.bind(row.tags).bind(row.properties).bind(definition).bind(row.locations);
  TRY(added.step());
  const std::int64_t id = added.integer(0);
  TRY(added.step());
  return database_->run(
      "UPDATE environments SET next_number = ?, newest_id = ?, latest_id = ?,"
      " version_count = version_count + 1 WHERE id = ?",
      next_number, id, id, row.environment_id);
}

Status Catalog::update_version(const VersionRow& row) {
  return database_->run(
      "UPDATE versions SET description = ?, tags = ?, properties = ?, modified_at = ? WHERE id = ?",
      row.description, row.tags, row.properties, row.modified_at, row.id);
}

Status Catalog::archive_version(const VersionRow& row, bool archived, std::int64_t now) {
  TRY(database_->run("UPDATE versions SET archived = ?, modified_at = ? WHERE id = ?",
                     flag(archived), now, row.id));
  return database_->run(
      "UPDATE environments SET latest_id ="
      " (SELECT max(id) FROM versions WHERE environment_id = ? AND archived = 0) WHERE id = ?",
      row.environment_id, row.environment_id);
}

Status Catalog::archive_environment(std::int64_t environment_id, bool archived) {
  return database_->run("UPDATE environments SET archived = ? WHERE id = ?", flag(archived),
                        environment_id);
}

Result<std::vector<std::string>> Catalog::labels_of(std::int64_t version_id) {
  Statement rows =
      TRY(database_->prepare("SELECT label FROM labels WHERE version_id = ? ORDER BY label"));
  rows.bind(version_id);
  return texts(std::move(rows));
}

Result<std::vector<std::string>> Catalog::labels(std::int64_t environment_id) {
  Statement rows =
      TRY(database_->prepare("SELECT label FROM labels WHERE environment_id = ? ORDER BY label"));
  rows.bind(environment_id);
  return texts(std::move(rows));
}

Status Catalog::set_label(const VersionRow& row, std::string_view label) {
  return database_->run(
      "INSERT INTO labels (environment_id, label, version_id) VALUES (?, ?, ?)"
      " ON CONFLICT (environment_id, label) DO UPDATE SET version_id = excluded.version_id",
      row.environment_id, label, row.id);
}

Result<bool> Catalog::remove_label(std::int64_t environment_id, std::string_view label) {
  TRY(database_->run("DELETE FROM labels WHERE environment_id = ? AND label = ?", environment_id,
                     label));
  return database_->changed_count() > 0;
}

Status Catalog::list(std::string_view after_name, bool include_archived,
                     const std::function<bool(SummaryRow)>& visit) {
  Statement row = TRY(database_->prepare(
      "SELECT e.name, v.version, v.description, v.fingerprint, v.kind, e.version_count,"
      " CASE WHEN e.archived = 1 OR e.latest_id IS NULL THEN 1 ELSE 0 END, v.created_at, v.tags"
      " FROM environments e JOIN versions v ON v.id = coalesce(e.latest_id, e.newest_id)"
      " WHERE e.name > ? AND e.name <> ? AND (? = 1 OR (e.archived = 0 AND e.latest_id IS NOT "
      "NULL))"
      " ORDER BY e.name"));
  row.bind(after_name).bind(definition::kAnonymousName).bind(flag(include_archived));
  while (TRY(row.step())) {
    EnvironmentSummary summary{.name = row.text(0),
                               .latest_version = row.text(1),
                               .description = row.text(2),
                               .fingerprint = row.text(3),
                               .kind = row.text(4),
                               .version_count = row.integer(5),
                               .archived = row.integer(6) != 0,
                               .created_at = to_rfc3339(row.integer(7))};
    if (!visit(SummaryRow{std::move(summary), row.text(8)})) {
      break;
    }
  }
  return {};
}

Result<std::vector<std::string>> Catalog::names_like(std::string_view name, std::int64_t limit) {
  // The first letter in either case: an index range each, so the cost does not grow.
  std::vector<std::string> out;
  for (const char* change : {"lower", "upper"}) {
    Statement rows =
        TRY(database_->prepare(std::string("SELECT name FROM environments WHERE name >= ") +
                               change + "(substr(?, 1, 1)) AND name < " + change +
                               "(substr(?, 1, 1)) || '~' AND name <> ? ORDER BY name LIMIT ?"));
    rows.bind(name).bind(name).bind(definition::kAnonymousName).bind(limit);
    for (std::string& found : TRY(texts(std::move(rows)))) {
      out.push_back(std::move(found));
    }
  }
  return out;
}

Result<std::vector<std::string>> Catalog::version_names(std::string_view name, std::int64_t limit) {
  Statement rows = TRY(database_->prepare(
      "SELECT v.version FROM versions v JOIN environments e ON e.id = v.environment_id"
      " WHERE e.name = ? ORDER BY v.id DESC LIMIT ?"));
  rows.bind(name).bind(limit);
  return texts(std::move(rows));
}

Status Catalog::add_event(const EventRow& event) {
  return database_->run(
      "INSERT INTO events (at, user_name, action, name, version, detail) VALUES (?, ?, ?, ?, ?, ?)",
      event.at, event.user, event.action, event.name, event.version, event.detail);
}

Result<std::vector<Event>> Catalog::events(std::string_view name, std::string_view version) {
  Statement row = TRY(database_->prepare(
      "SELECT id, at, user_name, action, name, version, detail FROM events"
      " WHERE name = ? AND (? = '' OR version = ? OR version = '') ORDER BY id"));
  row.bind(name).bind(version).bind(version);
  std::vector<Event> out;
  while (TRY(row.step())) {
    out.push_back({.id = row.integer(0),
                   .at = to_rfc3339(row.integer(1)),
                   .user = row.text(2),
                   .action = row.text(3),
                   .name = row.text(4),
                   .version = row.text(5),
                   .detail = row.text(6)});
  }
  return out;
}

Result<std::optional<LockRow>> Catalog::find_lock(const LockRowKey& key) {
  Statement row = TRY(database_->prepare(
      std::string(kSelectLock)
          .append(
              "WHERE fingerprint = ? AND platform = ? AND target = ? ORDER BY id DESC LIMIT 1")));
  row.bind(key.fingerprint).bind(key.platform).bind(key.target);
  return one_lock(std::move(row));
}

Result<std::optional<LockRow>> Catalog::find_lock_by_digest(std::string_view digest) {
  Statement row = TRY(database_->prepare(
      std::string(kSelectLock).append("WHERE digest = ? ORDER BY id DESC LIMIT 1")));
  row.bind(digest);
  return one_lock(std::move(row));
}

Result<std::vector<LockRow>> Catalog::locks_of(std::string_view fingerprint) {
  Statement rows = TRY(database_->prepare(std::string(kSelectLock)
                                              .append("WHERE id IN (SELECT max(id) FROM locks"
                                                      " WHERE fingerprint = ?"
                                                      " GROUP BY platform, target) ORDER BY id")));
  rows.bind(fingerprint);
  return lock_rows(std::move(rows));
}

Result<std::vector<LockRow>> Catalog::lock_history(std::string_view fingerprint) {
  Statement rows = TRY(database_->prepare(
      "SELECT id, fingerprint, platform, target, digest, '', package_count, created_at,"
      " created_by, detail FROM locks WHERE fingerprint = ? ORDER BY id"));
  rows.bind(fingerprint);
  return lock_rows(std::move(rows));
}

Status Catalog::add_lock(const LockRow& row) {
  return database_->run(
      "INSERT INTO locks (fingerprint, platform, target, digest, body, package_count, created_at,"
      " created_by, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      row.fingerprint, row.platform, row.target, row.digest, row.body, row.package_count,
      row.created_at, row.created_by, row.detail);
}

Result<std::vector<Workspace::Registry>> Catalog::registries() {
  Statement row = TRY(database_->prepare("SELECT name, location FROM registries ORDER BY name"));
  std::vector<Workspace::Registry> out;
  while (TRY(row.step())) {
    out.push_back({row.text(0), row.text(1)});
  }
  return out;
}

Status Catalog::add_registry(const Workspace::Registry& registry) {
  return database_->run("INSERT INTO registries (name, location) VALUES (?, ?)", registry.name,
                        registry.location);
}

Status Catalog::each_current_lock(const std::function<Status(const LockRow&)>& visit) {
  Statement row = TRY(database_->prepare(
      "SELECT digest, body FROM locks WHERE id IN"
      " (SELECT max(id) FROM locks GROUP BY fingerprint, platform, target) ORDER BY id"));
  while (TRY(row.step())) {
    LockRow lock;
    lock.digest = row.text(0);
    lock.body = row.text(1);
    TRY(visit(lock));
  }
  return {};
}

Status Catalog::each_definition(const std::function<Status(const VersionRow&)>& visit) {
  Statement row = TRY(database_->prepare(
      "SELECT e.name, v.version, d.body FROM definitions d"
      " JOIN versions v ON v.id = (SELECT min(id) FROM versions WHERE definition_id = d.id)"
      " JOIN environments e ON e.id = v.environment_id ORDER BY d.id"));
  while (TRY(row.step())) {
    VersionRow version;
    version.name = row.text(0);
    version.version = row.text(1);
    version.definition = row.text(2);
    TRY(visit(version));
  }
  return {};
}

}  // namespace cloche::workspace
