#include "workspace/schema.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "core/files.h"
#include "core/text.h"
#include "io/descriptor.h"
#include "io/file.h"
#include "io/system_error.h"
#include "io/temporary.h"

namespace cloche::workspace {
namespace {

// Times are milliseconds since 1970 UTC. Ids only grow, so a larger id is a later creation.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE definitions (
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL
);
CREATE TABLE environments (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  archived INTEGER NOT NULL DEFAULT 0,
  next_number INTEGER NOT NULL DEFAULT 1,
  version_count INTEGER NOT NULL DEFAULT 0,
  newest_id INTEGER,
  latest_id INTEGER
);
CREATE TABLE versions (
  id INTEGER PRIMARY KEY,
  environment_id INTEGER NOT NULL REFERENCES environments (id),
  version TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  kind TEXT NOT NULL,
  archived INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  modified_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  description TEXT NOT NULL,
  tags TEXT NOT NULL,
  properties TEXT NOT NULL,
  definition_id INTEGER NOT NULL REFERENCES definitions (id),
  locations TEXT NOT NULL,
  UNIQUE (environment_id, version)
);
CREATE INDEX versions_by_environment ON versions (environment_id, id);
CREATE INDEX versions_by_fingerprint ON versions (fingerprint, archived, id DESC);
CREATE TABLE labels (
  environment_id INTEGER NOT NULL REFERENCES environments (id),
  label TEXT NOT NULL,
  version_id INTEGER NOT NULL REFERENCES versions (id),
  PRIMARY KEY (environment_id, label)
);
CREATE INDEX labels_by_version ON labels (version_id);
CREATE TABLE registries (
  name TEXT PRIMARY KEY,
  location TEXT NOT NULL
);
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  user_name TEXT NOT NULL,
  action TEXT NOT NULL,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  detail TEXT NOT NULL
);
CREATE INDEX events_by_name ON events (name, id);
)sql";

// The newest row of a fingerprint, platform and target is the lock; the older ones are its history.
constexpr const char* kVersion2 = R"sql(
CREATE TABLE locks (
  id INTEGER PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  platform TEXT NOT NULL,
  target TEXT NOT NULL,
  digest TEXT NOT NULL,
  body TEXT NOT NULL,
  package_count INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  detail TEXT NOT NULL
);
CREATE INDEX locks_by_key ON locks (fingerprint, platform, target, id);
CREATE INDEX locks_by_digest ON locks (digest);
)sql";

// The run history. `definition` and `run` are JSON: docs/formats/run-directory.md.
constexpr const char* kVersion3 = R"sql(
CREATE TABLE jobs (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  experiment TEXT NOT NULL,
  status TEXT NOT NULL,
  finished INTEGER NOT NULL,
  archived INTEGER NOT NULL,
  claimed INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  milli_cpus INTEGER NOT NULL,
  memory_bytes INTEGER NOT NULL,
  gpus INTEGER NOT NULL,
  code_digest TEXT NOT NULL,
  image_digest TEXT NOT NULL,
  definition TEXT NOT NULL,
  run TEXT NOT NULL
);
CREATE INDEX jobs_by_end ON jobs (finished, id);
CREATE INDEX jobs_by_experiment ON jobs (experiment, id);
CREATE TABLE job_events (
  id INTEGER PRIMARY KEY,
  job_id INTEGER NOT NULL REFERENCES jobs (id),
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  detail TEXT NOT NULL
);
CREATE INDEX job_events_by_job ON job_events (job_id, id);
)sql";

constexpr std::array<const char*, 3> kMigrations = {kVersion1, kVersion2, kVersion3};

// A whole database appears under its name at once: it is made aside and linked into place, so that
// no process ever sees half of one, whoever else is making it or dies while doing so.
Status create_database(const std::string& path) {
  const std::string directory = parent_path(path);
  const std::string place = join_path(directory, "tmp");
  TRY(io::make_directories(place));
  const io::TemporaryDirectory work = TRY(io::TemporaryDirectory::create(place));
  const std::string draft = join_path(work.path(), "workspace.db");
  {
    Database database = TRY(Database::open(draft, Database::Mode::kCreate));
    TRY(migrate(database, migrations()));
  }  // closed, so that its log is in the file
  if (::link(draft.c_str(), path.c_str()) != 0 && errno != EEXIST) {
    return io::system_error(errno, "create", path);
  }
  return io::sync_directory(directory);
}

Result<Database> open_for_writing(const std::string& path) {
  auto opened = Database::open(path, Database::Mode::kReadWrite);
  if (opened || opened.error().kind != ErrorKind::kNotFound) {
    return opened;
  }
  TRY(create_database(path));
  return Database::open(path, Database::Mode::kReadWrite);
}

Status check_version(std::int64_t version, std::string_view path) {
  const auto current = static_cast<std::int64_t>(migrations().size());
  if (version > current) {
    return fail(ErrorKind::kUnsupported,
                "{} has schema version {}; this program knows versions up to {}", printable(path),
                version, current)
        .with_hint("a newer cloche made it: install that one");
  }
  return {};
}

bool may(const std::string& path, int mode) {
  return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0;
}

bool writable(const std::string& path) {
  return may(parent_path(path), W_OK) && (!may(path, F_OK) || may(path, W_OK));
}

}  // namespace

std::span<const char* const> migrations() { return kMigrations; }

Status migrate(Database& database, std::span<const char* const> steps) {
  const auto target = static_cast<std::int64_t>(steps.size());
  Transaction transaction = TRY(Transaction::begin(database));
  const std::int64_t version = TRY(database.schema_version());  // another may have been quicker
  if (version >= target) {
    return {};
  }
  for (std::int64_t step = version; step < target; ++step) {
    TRY(database.run_script(steps[static_cast<std::size_t>(step)])
            .context("bringing the schema to version {}", step + 1));
  }
  TRY(database.set_schema_version(target));
  return transaction.commit();
}

Result<Database> open_database(const std::string& path, bool& read_only) {
  read_only = !writable(path);
  Database database = read_only ? TRY(Database::open(path, Database::Mode::kReadOnly))
                                : TRY(open_for_writing(path));
  const std::int64_t version = TRY(database.schema_version());
  TRY(check_version(version, path));
  if (version < static_cast<std::int64_t>(migrations().size())) {
    if (read_only) {
      return fail(ErrorKind::kUnsupported, "{} has the older schema version {}", printable(path),
                  version)
          .with_hint("open it once where it can be written, and it is brought up to date");
    }
    TRY(migrate(database, migrations()));
  }
  return database;
}

}  // namespace cloche::workspace
