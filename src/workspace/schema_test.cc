#include "workspace/schema.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/testing.h"
#include "io/file.h"
#include "io/testing.h"

namespace cloche::workspace {
namespace {

namespace fs = std::filesystem;

class SchemaTest : public testing::Test {
 protected:
  SchemaTest() : directory_(io::test_directory()) {}

  std::string path() const { return directory_.path() + "/workspace.db"; }
  Result<Database> opened() { return open_database(path(), read_only_); }

  io::TemporaryDirectory directory_;
  bool read_only_ = false;
};

TEST_F(SchemaTest, MakesANewDatabaseAndOpensItAgain) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_VALUE(database, opened());
    EXPECT_FALSE(read_only_);
    EXPECT_EQ(database.schema_version().value(), static_cast<std::int64_t>(migrations().size()));
    EXPECT_TRUE(database.run("SELECT count(*) FROM versions").has_value());
  }
  EXPECT_TRUE(fs::is_empty(directory_.path() + "/tmp"));
}

TEST_F(SchemaTest, EightProcessesMayMakeItAtOnce) {
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      bool read_only = false;
      auto database = open_database(path(), read_only);
      const bool good =
          database && database->run("INSERT INTO registries VALUES (?, '')", std::to_string(i));
      ::_exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  ASSERT_VALUE(database, opened());
  ASSERT_VALUE(statement, database.prepare("SELECT count(*) FROM registries"));
  ASSERT_TRUE(statement.step().value());
  EXPECT_EQ(statement.integer(0), 8);
}

TEST_F(SchemaTest, EightProcessesMayBringAnOldOneUpToDateAtOnce) {
  {
    ASSERT_VALUE(database, Database::open(path(), Database::Mode::kCreate));
    ASSERT_TRUE(migrate(database, migrations().first(1)).has_value());
    ASSERT_TRUE(database.run("INSERT INTO registries VALUES ('old', '')").has_value());
  }
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      bool read_only = false;
      auto database = open_database(path(), read_only);
      ::_exit(database && database->prepare("SELECT count(*) FROM locks") ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  ASSERT_VALUE(database, opened());
  EXPECT_EQ(database.schema_version().value(), static_cast<std::int64_t>(migrations().size()));
  ASSERT_VALUE(statement, database.prepare("SELECT count(*) FROM registries"));
  ASSERT_TRUE(statement.step().value());
  EXPECT_EQ(statement.integer(0), 1);
}

TEST_F(SchemaTest, RefusesANewerOne) {
  {
    ASSERT_VALUE(database, opened());
    ASSERT_TRUE(database.set_schema_version(99).has_value());
  }
  const auto result = opened();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kUnsupported);
  EXPECT_NE(result.error().message.find("schema version 99"), std::string::npos);
  EXPECT_NE(result.error().hint.find("newer cloche"), std::string::npos);
}

TEST_F(SchemaTest, RefusesAnotherProgramsDatabase) {
  {
    ASSERT_VALUE(database, Database::open(path(), Database::Mode::kCreate));
    ASSERT_TRUE(database.run_script("PRAGMA application_id=1; PRAGMA user_version=1").has_value());
  }
  EXPECT_EQ(opened().error().kind, ErrorKind::kUnsupported);
}

TEST_F(SchemaTest, MigratesForwardInOneStepOrNotAtAll) {
  ASSERT_VALUE(database, opened());
  const auto current = static_cast<std::int64_t>(migrations().size());
  std::vector<const char*> steps(migrations().begin(), migrations().end());
  steps.push_back("CREATE TABLE added (a TEXT)");
  steps.push_back("this is no SQL");
  EXPECT_FALSE(migrate(database, steps).has_value());
  EXPECT_EQ(database.schema_version().value(), current);
  EXPECT_FALSE(database.prepare("SELECT a FROM added").has_value()) << "half a migration stayed";
  steps.back() = "INSERT INTO added VALUES ('x')";
  ASSERT_TRUE(migrate(database, steps).has_value());
  EXPECT_EQ(database.schema_version().value(), current + 2);
  ASSERT_TRUE(migrate(database, steps).has_value()) << "a second time changes nothing";
  ASSERT_VALUE(statement, database.prepare("SELECT count(*) FROM added"));
  ASSERT_TRUE(statement.step().value());
  EXPECT_EQ(statement.integer(0), 1);
}

TEST_F(SchemaTest, OpensForReadingWhereNothingCanBeWritten) {
  ASSERT_TRUE(opened().has_value());
  fs::permissions(directory_.path(), fs::perms(0555));
  {
    const io::Unprivileged nobody;
    EXPECT_TRUE(opened().has_value());
    EXPECT_TRUE(read_only_);
  }
  fs::permissions(directory_.path(), fs::perms(0755));
}

TEST_F(SchemaTest, ADamagedFileIsCorruptWhereverTheDamageIs) {
  ASSERT_TRUE(opened().has_value());
  const auto size = fs::file_size(path());
  {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.write("garbage garbage garbage", 16);
  }
  EXPECT_EQ(opened().error().kind, ErrorKind::kCorrupt);
  fs::resize_file(path(), size / 2);
  EXPECT_EQ(opened().error().kind, ErrorKind::kCorrupt);
  fs::resize_file(path(), 0);
  EXPECT_FALSE(opened().has_value());
}

}  // namespace
}  // namespace cloche::workspace
