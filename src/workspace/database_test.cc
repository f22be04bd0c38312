#include "workspace/database.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "core/testing.h"
#include "io/file.h"
#include "io/testing.h"

namespace cloche::workspace {
namespace {

namespace fs = std::filesystem;

class DatabaseTest : public testing::Test {
 protected:
  DatabaseTest() : directory_(io::test_directory()) {}

  std::string path(const std::string& name = "test.db") const {
    return directory_.path() + "/" + name;
  }
  Database created() const {
    Database database = std::move(*Database::open(path(), Database::Mode::kCreate));
    EXPECT_TRUE(database.run_script("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)").has_value());
    return database;
  }
  static std::int64_t count(Database& database) {
    Statement statement = std::move(*database.prepare("SELECT count(*) FROM t"));
    EXPECT_TRUE(statement.step().value());
    return statement.integer(0);
  }

  io::TemporaryDirectory directory_;
};

TEST_F(DatabaseTest, GivesBackWhatWasBound) {
  Database database = created();
  const std::string odd("a\0'\";--\n\xc3\xa4", 11);
  ASSERT_TRUE(
      database.run("INSERT INTO t (id, a) VALUES (?, ?)", std::int64_t{7}, odd).has_value());
  ASSERT_TRUE(
      database.run("INSERT INTO t (id, a) VALUES (?, ?)", std::int64_t{8}, std::string_view())
          .has_value());
  EXPECT_EQ(database.changed_count(), 1);
  ASSERT_VALUE(statement, database.prepare("SELECT id, a FROM t ORDER BY id"));
  ASSERT_TRUE(statement.step().value());
  EXPECT_EQ(statement.integer(0), 7);
  EXPECT_EQ(statement.text(1), odd);
  ASSERT_TRUE(statement.step().value());
  EXPECT_EQ(statement.text(1), "");
  EXPECT_FALSE(statement.is_null(1));
  EXPECT_FALSE(statement.step().value());
}

TEST_F(DatabaseTest, AStatementCanBeUsedWhileAnotherOfTheSameTextRuns) {
  Database database = created();
  for (std::int64_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(database.run("INSERT INTO t (id) VALUES (?)", i).has_value());
  }
  ASSERT_VALUE(outer, database.prepare("SELECT id FROM t WHERE id >= ? ORDER BY id"));
  outer.bind(1);
  ASSERT_TRUE(outer.step().value());
  {
    ASSERT_VALUE(inner, database.prepare("SELECT id FROM t WHERE id >= ? ORDER BY id"));
    inner.bind(2);
    ASSERT_TRUE(inner.step().value());
    EXPECT_EQ(inner.integer(0), 2);
  }
  EXPECT_EQ(outer.integer(0), 1);
  ASSERT_TRUE(outer.step().value());
  EXPECT_EQ(outer.integer(0), 2);
}

TEST_F(DatabaseTest, ATransactionIsUndoneUnlessCommitted) {
  Database database = created();
  {
    const auto transaction = Transaction::begin(database);
    ASSERT_TRUE(transaction.has_value());
    ASSERT_TRUE(database.run("INSERT INTO t (id) VALUES (1)").has_value());
  }
  EXPECT_EQ(count(database), 0);
  {
    ASSERT_VALUE(transaction, Transaction::begin(database));
    ASSERT_TRUE(database.run("INSERT INTO t (id) VALUES (1)").has_value());
    ASSERT_TRUE(transaction.commit().has_value());
  }
  EXPECT_EQ(count(database), 1);
}

TEST_F(DatabaseTest, ReadersAreNotHeldUpByAWriter) {
  Database writer = created();
  ASSERT_VALUE(transaction, Transaction::begin(writer));
  ASSERT_TRUE(writer.run("INSERT INTO t (id) VALUES (1)").has_value());
  ASSERT_VALUE(reader, Database::open(path(), Database::Mode::kReadOnly));
  EXPECT_EQ(count(reader), 0);
  ASSERT_TRUE(transaction.commit().has_value());
  EXPECT_EQ(count(reader), 1);
}

TEST_F(DatabaseTest, SaysWhetherTheFileIsThere) {
  EXPECT_EQ(Database::open(path(), Database::Mode::kReadWrite).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(Database::open(path(), Database::Mode::kReadOnly).error().kind, ErrorKind::kNotFound);
  created();
  EXPECT_EQ(Database::open(path(), Database::Mode::kCreate).error().kind, ErrorKind::kConflict);
}

TEST_F(DatabaseTest, TakesAPathWithOddCharactersLiterally) {
  const std::string odd = path("a?mode=memory#%41 b.db");
  ASSERT_TRUE(Database::open(odd, Database::Mode::kCreate).has_value());
  EXPECT_TRUE(fs::exists(odd));
}

TEST_F(DatabaseTest, AFileThatIsNoDatabaseIsCorrupt) {
  std::ofstream(path()) << std::string(8192, 'x');
  EXPECT_EQ(Database::open(path(), Database::Mode::kReadWrite).error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(Database::open(path(), Database::Mode::kReadOnly).error().kind, ErrorKind::kCorrupt);
}

TEST_F(DatabaseTest, AFullDiskUndoesTheChangeAndNothingElse) {
  Database database = created();
  ASSERT_TRUE(database.run("INSERT INTO t (id, a) VALUES (1, 'kept')").has_value());
  const std::string large(1 << 20, 'x');
  {
    const io::LowerLimit limit(RLIMIT_FSIZE, 200'000);
    auto transaction = Transaction::begin(database);
    auto status = database.run("INSERT INTO t (id, a) VALUES (2, ?)", large);
    if (status) {
      status = transaction->commit();
    }
    ASSERT_FALSE(status.has_value());
    EXPECT_EQ(status.error().kind, ErrorKind::kUnavailable) << status.error().to_string();
  }
  EXPECT_EQ(count(database), 1);
  EXPECT_TRUE(database.run("INSERT INTO t (id, a) VALUES (2, ?)", large).has_value());
}

TEST_F(DatabaseTest, ReadsFromADirectoryThatCannotBeWritten) {
  {
    Database database = created();
    ASSERT_TRUE(database.run("INSERT INTO t (id) VALUES (1)").has_value());
  }
  fs::permissions(directory_.path(), fs::perms(0555));
  {
    const io::Unprivileged nobody;
    ASSERT_VALUE(database, Database::open(path(), Database::Mode::kReadOnly));
    EXPECT_EQ(count(database), 1);
    EXPECT_EQ(database.run("INSERT INTO t (id) VALUES (2)").error().kind, ErrorKind::kPermission);
  }
  fs::permissions(directory_.path(), fs::perms(0755));
}

TEST_F(DatabaseTest, ABugInAStatementIsInternal) {
  Database database = created();
  EXPECT_EQ(database.prepare("SELEC 1").error().kind, ErrorKind::kInternal);
  ASSERT_VALUE(statement, database.prepare("SELECT ?"));
  statement.bind(1).bind(2);
  EXPECT_EQ(statement.step().error().kind, ErrorKind::kInternal);
}

}  // namespace
}  // namespace cloche::workspace
