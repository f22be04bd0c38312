// Locks in the workspace: the first one stays, until somebody replaces it by name.
#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/testing.h"
#include "lock/testing.h"
#include "workspace/database.h"
#include "workspace/testing.h"

namespace cloche::workspace {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::SizeIs;

lock::Lock lock_with(const std::string& numpy_version) {
  lock::Lock out = lock::sample_lock();
  out.conda.packages.push_back({.record = lock::sample_record("numpy", numpy_version, {"python"})});
  lock::sort(out);
  return out;
}

LockKey key_of(const lock::Lock& lock) {
  return {lock.fingerprint, lock.platform, lock.virtual_packages};
}

class LocksTest : public testing::Test {
 protected:
  TestWorkspace workspace_;
};

TEST_F(LocksTest, GivesBackWhatWasPut) {
  const lock::Lock lock = lock_with("1.26.4");
  EXPECT_FALSE(workspace_->find_lock(key_of(lock)).value().has_value());
  ASSERT_VALUE(put, workspace_->put_lock(lock, {}));
  EXPECT_TRUE(put.stored);
  workspace_.reopen();
  ASSERT_VALUE(found, workspace_->find_lock(key_of(lock)));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->lock, lock);
  EXPECT_EQ(found->digest, lock::digest_of(lock));
  EXPECT_EQ(found->created_by, "ada");
  EXPECT_EQ(found->created_at, to_rfc3339(workspace_.clock().now_ms()));
}

TEST_F(LocksTest, TheFirstOneStays) {
  const lock::Lock first = lock_with("1.26.4");
  const lock::Lock second = lock_with("2.1.0");
  ASSERT_TRUE(workspace_->put_lock(first, {}).value().stored);
  ASSERT_VALUE(again, workspace_->put_lock(second, {}));
  EXPECT_FALSE(again.stored);
  EXPECT_EQ(again.entry.lock, first);
  ASSERT_VALUE(stale, workspace_->put_lock(second, {.replaces = lock::digest_of(second)}));
  EXPECT_FALSE(stale.stored) << "it replaces one that is not the current one";
  EXPECT_EQ(workspace_->find_lock(key_of(first)).value()->lock, first);
}

TEST_F(LocksTest, AReplacedOneStaysInTheHistory) {
  const lock::Lock first = lock_with("1.26.4");
  const lock::Lock second = lock_with("2.1.0");
  ASSERT_TRUE(workspace_->create(conda_environment("train", {"numpy"})).has_value());
  ASSERT_TRUE(workspace_->put_lock(first, {.name = "train", .version = "1"}).value().stored);
  const Workspace::LockChange upgrade = {.name = "train",
                                         .version = "1",
                                         .action = "upgraded",
                                         .detail = "numpy 1.26.4 -> 2.1.0",
                                         .replaces = lock::digest_of(first)};
  ASSERT_TRUE(workspace_->put_lock(second, upgrade).value().stored);
  EXPECT_EQ(workspace_->find_lock(key_of(first)).value()->lock, second);
  const auto history = value_of(workspace_->lock_history(first.fingerprint));
  ASSERT_THAT(history, SizeIs(2));
  EXPECT_EQ(history[0].digest, lock::digest_of(first));
  EXPECT_FALSE(history[0].current);
  EXPECT_TRUE(history[1].current);
  EXPECT_EQ(history[1].detail, "numpy 1.26.4 -> 2.1.0");
  EXPECT_EQ(history[1].package_count, 5);
  EXPECT_EQ(workspace_->get_lock(history[0].digest).value().lock, first);
  EXPECT_EQ(workspace_->get_lock(Digest::of("x")).error().kind, ErrorKind::kNotFound);
  const auto events = value_of(workspace_->history("train"));
  ASSERT_THAT(events, SizeIs(3));
  EXPECT_EQ(events[1].action, "locked");
  EXPECT_EQ(events[2].action, "upgraded");
  // Back to last year's: it is the current one again.
  const Workspace::LockChange back = {.replaces = lock::digest_of(second)};
  ASSERT_TRUE(workspace_->put_lock(first, back).value().stored);
  EXPECT_EQ(workspace_->find_lock(key_of(first)).value()->lock, first);
}

TEST_F(LocksTest, AnotherTargetHasALockOfItsOwn) {
  const lock::Lock plain = lock_with("1.26.4");
  lock::Lock with_gpu = lock_with("2.1.0");
  with_gpu.virtual_packages.push_back({"__cuda", "12.4", "0"});
  lock::Lock arm = lock_with("2.0.0");
  arm.platform = "linux-aarch64";
  for (lock::Lock* one : {&with_gpu, &arm}) {
    lock::sort(*one);
    ASSERT_TRUE(workspace_->put_lock(*one, {}).value().stored);
  }
  ASSERT_TRUE(workspace_->put_lock(plain, {}).value().stored);
  EXPECT_EQ(workspace_->find_lock(key_of(with_gpu)).value()->lock, with_gpu);
  EXPECT_EQ(workspace_->find_lock(key_of(plain)).value()->lock, plain);
  EXPECT_THAT(value_of(workspace_->locks(plain.fingerprint)), SizeIs(3));
  for (const LockSummary& one : value_of(workspace_->lock_history(plain.fingerprint))) {
    EXPECT_TRUE(one.current);
  }
  LockKey turned = key_of(with_gpu);
  std::ranges::reverse(turned.virtual_packages);
  EXPECT_TRUE(workspace_->find_lock(turned).value().has_value());
}

TEST_F(LocksTest, RefusesOneThatBelongsToNoDefinition) {
  lock::Lock lock = lock_with("1");
  lock.fingerprint.clear();
  EXPECT_EQ(workspace_->put_lock(lock, {}).error().kind, ErrorKind::kInvalid);
}

TEST_F(LocksTest, ADamagedOneIsSaidToBeOne) {
  const lock::Lock lock = lock_with("1.26.4");
  ASSERT_TRUE(workspace_->put_lock(lock, {}).value().stored);
  workspace_.close();
  {
    ASSERT_VALUE(database,
                 Database::open(workspace_.path() + "/workspace.db", Database::Mode::kReadWrite));
    ASSERT_TRUE(
        database.run("UPDATE locks SET body = replace(body, '1.26.4', '1.26.5')").has_value());
  }
  workspace_.reopen();
  auto found = workspace_->find_lock(key_of(lock));
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(found.error().hint, HasSubstr("--update-all"));
}

TEST_F(LocksTest, AReadOnlyWorkspaceFindsButDoesNotKeep) {
  const lock::Lock lock = lock_with("1.26.4");
  ASSERT_TRUE(workspace_->put_lock(lock, {}).value().stored);
  workspace_.close();
  fs::permissions(workspace_.path(), fs::perms(0555));
  {
    const io::Unprivileged nobody;
    ASSERT_VALUE(workspace, workspace_.open_again());
    EXPECT_TRUE(workspace.find_lock(key_of(lock)).value().has_value());
    EXPECT_EQ(workspace.put_lock(lock_with("2"), {}).error().kind, ErrorKind::kPermission);
  }
  fs::permissions(workspace_.path(), fs::perms(0755));
}

TEST_F(LocksTest, EightProcessesThatLockTheSameAgree) {
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto workspace = workspace_.open_again();
      const lock::Lock mine = lock_with("1." + std::to_string(i));
      auto put =
          workspace ? workspace->put_lock(mine, {}) : Result<Workspace::PutLock>(workspace.error());
      const auto found =
          put ? workspace->find_lock(key_of(mine)) : Result<std::optional<StoredLock>>(put.error());
      const bool good = found && *found && (*found)->lock == put->entry.lock &&
                        put->stored == (put->entry.lock == mine);
      ::_exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_THAT(value_of(workspace_->lock_history(lock_with("1").fingerprint)), SizeIs(1));
}

}  // namespace
}  // namespace cloche::workspace
