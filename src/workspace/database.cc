#include "workspace/database.h"

#include <cerrno>
#include <iterator>
#include <string>
#include <tuple>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/files.h"
#include "core/text.h"
#include "io/system_error.h"

// Choices for SQLite, and why:
//   WAL                 readers never wait for a writer, nor a writer for readers
//   synchronous=FULL    in WAL mode NORMAL may lose the last commits in a power cut; an
//   acknowledged
//                       registration must not be lost
//   BEGIN IMMEDIATE     a transaction that reads and then writes would fail with BUSY at the
//                       upgrade, which no waiting mends
//   busy_timeout 60 s   a whole queue of processes that register, on a slow disk, gets its turn
//   trusted_schema=OFF  a database that somebody else made may hold a schema that calls functions
namespace cloche::workspace {
namespace {

constexpr int kBusyTimeoutMs = 60'000;
constexpr std::size_t kMaxIdleStatements = 32;
constexpr std::int64_t kApplicationId = 0x436c6f63;  // "Cloc", in the file's header
constexpr const char* kPragmas =
    "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;";

struct CodeRow {
  int code;
  ErrorKind kind;
  std::string_view hint;
};

// Primary result codes (sqlite.org/rescode.html); what is missing here is a bug of ours.
constexpr CodeRow kCodes[] = {
    {SQLITE_BUSY, ErrorKind::kUnavailable,
     "another process has held the workspace for over a minute; see whether one hangs"},
    {SQLITE_LOCKED, ErrorKind::kUnavailable, "run this again"},
    {SQLITE_FULL, ErrorKind::kUnavailable, "the disk is full: free some space and run this again"},
    {SQLITE_IOERR, ErrorKind::kUnavailable, "the disk reports an error, or is full"},
    {SQLITE_CANTOPEN, ErrorKind::kUnavailable, "see the permissions of the directory"},
    {SQLITE_NOMEM, ErrorKind::kUnavailable, ""},
    {SQLITE_TOOBIG, ErrorKind::kInvalid, "the definition is too large"},
    {SQLITE_CORRUPT, ErrorKind::kCorrupt,
     "restore the file from a copy, or save what is left of it with: sqlite3 FILE .recover"},
    {SQLITE_NOTADB, ErrorKind::kCorrupt,
     "restore the file from a copy, or move it away to begin anew"},
    {SQLITE_READONLY, ErrorKind::kPermission, "the workspace can only be read here"},
    {SQLITE_PERM, ErrorKind::kPermission, "see the permissions of the file"},
    {SQLITE_AUTH, ErrorKind::kPermission, ""},
    {SQLITE_CONSTRAINT, ErrorKind::kConflict, ""},
};

struct CloseConnection {
  void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
};
using Connection = std::unique_ptr<sqlite3, CloseConnection>;

Error database_error(sqlite3* connection, int code, const std::string& path) {
  const int primary = code & 0xff;
  Error error =
      make_error(ErrorKind::kInternal, "{}: {}", printable(path),
                 connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code));
  for (const CodeRow& row : kCodes) {
    if (row.code == primary) {
      error.kind = row.kind;
      error.hint = row.hint;
    }
  }
  const int system = connection != nullptr ? sqlite3_system_errno(connection) : 0;
  if ((primary == SQLITE_CANTOPEN || primary == SQLITE_IOERR) && system != 0) {
    return io::system_error(system, "use", path);  // what the disk itself said is more exact
  }
  return error;
}

// As a URI: '?', '#' and '%' would end or change the path.
std::string uri_of(const std::string& path, std::string_view parameters) {
  std::string out = "file:";
  for (const char c : path) {
    if (c == '?' || c == '#' || c == '%') {
      out += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out.append(parameters);
}

Result<Connection> connect(const std::string& path, int flags, std::string_view parameters = "") {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(uri_of(path, parameters).c_str(), &raw,
                                   flags | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE |
                                       SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
                                   nullptr);
  Connection connection(raw);
  if (code != SQLITE_OK) {
    return database_error(raw, code, path);
  }
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  return connection;
}

Status script(sqlite3* connection, const char* sql, const std::string& path) {
  const int code = sqlite3_exec(connection, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) {
    return database_error(connection, code, path);
  }
  return {};
}

bool is_empty_or_missing(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) != 0 || info.st_size == 0;
}

// A WAL database needs its -shm file also for reading. Where it is absent and cannot be made, and
// there is no log to replay either, nobody writes here: SQLite may take the file as unchanging
// (sqlite.org/wal.html, "Read-Only Databases").
Result<Connection> connect_for_reading(const std::string& path) {
  auto first = connect(path, SQLITE_OPEN_READONLY);
  if (first && script(first->get(), "SELECT 1 FROM sqlite_schema LIMIT 1", path)) {
    return first;
  }
  const bool sealed = ::faccessat(AT_FDCWD, parent_path(path).c_str(), W_OK, AT_EACCESS) != 0;
  if (sealed && is_empty_or_missing(path + "-wal")) {
    return connect(path, SQLITE_OPEN_READONLY, "?immutable=1");
  }
  if (first) {
    TRY(script(first->get(), "SELECT 1 FROM sqlite_schema LIMIT 1", path));
  }
  return first;
}

}  // namespace

struct Database::State {
  std::string path;
  Connection connection;
  std::vector<std::unique_ptr<Statement::State>> idle;  // the last used at the end

  Error error(int code) const { return database_error(connection.get(), code, path); }
};

struct Statement::State {
  Database::State* database = nullptr;
  std::string sql;
  sqlite3_stmt* handle = nullptr;
  int next_parameter = 1;
  int bind_code = SQLITE_OK;  // the first thing that went wrong in bind(); told by step()

  ~State() { sqlite3_finalize(handle); }

  void bound(int code) {
    ++next_parameter;
    if (bind_code == SQLITE_OK) {
      bind_code = code;
    }
  }
  void rewind() {
    sqlite3_reset(handle);
    sqlite3_clear_bindings(handle);
    next_parameter = 1;
    bind_code = SQLITE_OK;
  }
};

Statement::Statement(std::unique_ptr<State> state) : state_(std::move(state)) {}
Statement::Statement(Statement&&) noexcept = default;

// A reset at once, or an unfinished read would hold back checkpoints.
Statement::~Statement() {
  if (state_ == nullptr) {
    return;
  }
  state_->rewind();
  auto& idle = state_->database->idle;
  if (idle.size() >= kMaxIdleStatements) {
    idle.erase(idle.begin());
  }
  idle.push_back(std::move(state_));
}

Statement& Statement::bind(std::int64_t value) {
  state_->bound(sqlite3_bind_int64(state_->handle, state_->next_parameter, value));
  return *this;
}

Statement& Statement::bind(std::string_view value) {
  // A null pointer would bind NULL instead of "".
  const char* data = value.data() != nullptr ? value.data() : "";
  state_->bound(sqlite3_bind_text64(state_->handle, state_->next_parameter, data, value.size(),
                                    SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind_null() {
  state_->bound(sqlite3_bind_null(state_->handle, state_->next_parameter));
  return *this;
}

Result<bool> Statement::step() {
  if (state_->bind_code != SQLITE_OK) {
    return state_->database->error(state_->bind_code);
  }
  const int code = sqlite3_step(state_->handle);
  if (code == SQLITE_ROW || code == SQLITE_DONE) {
    return code == SQLITE_ROW;
  }
  return state_->database->error(code);
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(state_->handle, column);
}

std::string Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(state_->handle, column);
  const int size = sqlite3_column_bytes(state_->handle, column);
  return bytes != nullptr
             ? std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size))
             : std::string();
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(state_->handle, column) == SQLITE_NULL;
}

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

Result<Database> Database::open(const std::string& path, Mode mode) {
  auto state = std::make_unique<State>();
  state->path = path;
  if (mode == Mode::kReadOnly) {
    state->connection = TRY(connect_for_reading(path));
    return Database(std::move(state));
  }
  struct stat info{};
  const bool exists = ::stat(path.c_str(), &info) == 0;
  if (exists == (mode == Mode::kCreate)) {
    return io::system_error(exists ? EEXIST : ENOENT, "open", path);
  }
  const int create = mode == Mode::kCreate ? SQLITE_OPEN_CREATE : 0;
  state->connection = TRY(connect(path, SQLITE_OPEN_READWRITE | create));
  TRY(script(state->connection.get(), kPragmas, path));
  if (mode == Mode::kCreate) {
    TRY(script(state->connection.get(), "PRAGMA journal_mode=WAL", path));
    TRY(script(state->connection.get(),
               fmt::format("PRAGMA application_id={}", kApplicationId).c_str(), path));
  }
  return Database(std::move(state));
}

Result<Statement> Database::prepare(std::string_view sql) {
  auto& idle = state_->idle;
  for (auto it = idle.rbegin(); it != idle.rend(); ++it) {
    if ((*it)->sql == sql) {
      auto found = std::move(*it);
      idle.erase(std::next(it).base());
      return Statement(std::move(found));
    }
  }
  auto statement = std::make_unique<Statement::State>();
  statement->database = state_.get();
  statement->sql = sql;
  const int code =
      sqlite3_prepare_v3(state_->connection.get(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement->handle, nullptr);
  if (code != SQLITE_OK) {
    return state_->error(code);
  }
  return Statement(std::move(statement));
}

Status Database::run_script(const std::string& sql) {
  return script(state_->connection.get(), sql.c_str(), state_->path);
}

std::int64_t Database::changed_count() const { return sqlite3_changes64(state_->connection.get()); }

namespace {

Result<std::int64_t> pragma(Database& database, std::string_view sql) {
  Statement statement = TRY(database.prepare(sql));
  TRY(statement.step());
  return statement.integer(0);
}

}  // namespace

Result<std::int64_t> Database::schema_version() {
  const std::int64_t application = TRY(pragma(*this, "PRAGMA application_id"));
  if (application != kApplicationId) {
    return fail(ErrorKind::kUnsupported, "{} is another program's database",
                printable(state_->path))
        .with_hint("choose another directory for the workspace");
  }
  return pragma(*this, "PRAGMA user_version");
}

Status Database::set_schema_version(std::int64_t version) {
  return run_script(fmt::format("PRAGMA user_version={}", version));  // takes no parameter
}

Result<Transaction> Transaction::begin(Database& database) {
  TRY(database.run("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_ != nullptr) {
    // Fails only when the database has rolled back by itself, as it does when the disk is full.
    std::ignore = database_->run("ROLLBACK");
  }
}

Status Transaction::commit() {
  TRY(database_->run("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace cloche::workspace
