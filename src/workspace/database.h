// The seam to the store: SQL with positional parameters, rows, transactions. SQLite now; written so
// that PostgreSQL can stand behind the same two classes (no SQLite type or constant leaves
// database.cc, and the statements of this module keep to what both understand).
//
// One connection, one thread. Errors: kUnavailable (busy for longer than a minute, disk full),
// kCorrupt (not a database, damaged), kPermission (read-only), kInternal (a bug in a statement).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.h"

namespace cloche::workspace {

// A prepared statement with its parameters, and the row it stands on. Must not outlive its
// Database, which keeps prepared statements for the next use of the same text.
class Statement {
 public:
  ~Statement();
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) = delete;

  // The next parameter, from left to right.
  Statement& bind(std::int64_t value);
  Statement& bind(std::string_view value);
  Statement& bind_null();

  // Runs to the next row: true when there is one, false at the end.
  Result<bool> step();

  // Columns of the row, from 0. NULL reads as 0 and "".
  std::int64_t integer(int column) const;
  std::string text(int column) const;
  bool is_null(int column) const;

 private:
  friend class Database;
  struct State;
  explicit Statement(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class Database {
 public:
  enum class Mode {
    kCreate,     // a new file: kConflict when it exists
    kReadWrite,  // kNotFound when it does not exist
    kReadOnly,   // also from a directory in which nothing can be written
  };

  static Result<Database> open(const std::string& path, Mode mode);
  ~Database();
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;

  Result<Statement> prepare(std::string_view sql);

  // One statement without a result.
  template <class... Args>
  Status run(std::string_view sql, const Args&... args) {
    Statement statement = TRY(prepare(sql));
    (statement.bind(args), ...);
    TRY(statement.step());
    return {};
  }

  // Several statements separated by ';'.
  Status run_script(const std::string& sql);

  // Number of rows that the last statement changed.
  std::int64_t changed_count() const;

  // Which version of the schema the file holds; 0 for a new one. Costs no look at the schema.
  // kUnsupported: the file is another program's.
  Result<std::int64_t> schema_version();
  Status set_schema_version(std::int64_t version);

 private:
  friend class Statement;
  struct State;
  explicit Database(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// One change as a whole. Waits its turn at the start, so that nothing it reads is changed by
// another process before it commits. Undone by the destructor unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  ~Transaction();
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;

  // When it returns success, the change is on disk.
  Status commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace cloche::workspace
