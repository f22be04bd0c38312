#include "blob/work_lock.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/testing.h"
#include "io/testing.h"

namespace cloche::blob {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::HasSubstr;

// Runs in a process of its own, which ends without destructors.
pid_t in_child(const std::function<void()>& work) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    work();
    ::_exit(0);
  }
  return pid;
}

class Notes : public Progress {
 public:
  void note(std::string_view text) override {
    last = text;
    ++count;
  }
  std::string last;
  std::atomic<int> count = 0;
};

class WorkLockTest : public testing::Test {
 protected:
  Result<WorkLock> hold(std::string_view key = "numpy", const std::stop_token& stop = {}) {
    return WorkLock::hold(directory_.path(), key, "making numpy", stop, notes_);
  }

  std::ptrdiff_t lock_files() const {
    return std::distance(fs::directory_iterator(directory_.path() + "/locks"),
                         fs::directory_iterator());
  }

  // A process that holds the lock until it is killed; returns when it has it.
  pid_t holder() {
    const std::string sign = directory_.path() + "/held";
    fs::remove(sign);
    const pid_t pid = in_child([&] {
      const auto lock = hold();
      std::ofstream(sign) << "x";
      ::pause();
    });
    while (!fs::exists(sign)) {
      std::this_thread::sleep_for(milliseconds(1));
    }
    return pid;
  }

  io::TemporaryDirectory directory_ = io::test_directory();
  Notes notes_;
};

TEST_F(WorkLockTest, IsThereWhileHeldAndGoneAfter) {
  {
    const auto lock = hold();
    ASSERT_TRUE(lock.has_value());
    EXPECT_EQ(lock_files(), 1);
    EXPECT_TRUE(hold("scipy").has_value());  // another key is another lock
  }
  EXPECT_EQ(lock_files(), 0);
  EXPECT_TRUE(hold().has_value());
}

TEST_F(WorkLockTest, TakesKeysOfAnyBytes) {
  EXPECT_TRUE(hold("../../etc/passwd").has_value());
  EXPECT_TRUE(hold(std::string_view("a\0b", 3)).has_value());
  EXPECT_TRUE(hold("").has_value());
  EXPECT_TRUE(hold(std::string(100'000, '/')).has_value());
}

TEST_F(WorkLockTest, ExcludesThreads) {
  std::atomic<int> inside = 0;
  std::atomic<int> made = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      Progress quiet;
      for (int i = 0; i < 10; ++i) {
        const auto lock = WorkLock::hold(directory_.path(), "k", "w", {}, quiet);
        ASSERT_TRUE(lock.has_value());
        EXPECT_EQ(++inside, 1);
        ++made;
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(made, 80);
  EXPECT_EQ(lock_files(), 0);
}

TEST_F(WorkLockTest, EightProcessesMakeAThingOnce) {
  const std::string thing = directory_.path() + "/thing";
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    children.push_back(in_child([&] {
      const auto lock = hold();
      if (!lock || (!fs::exists(thing) && ::mkdir(thing.c_str(), 0700) != 0)) {
        ::_exit(1);
      }
      std::ofstream(directory_.path() + "/done", std::ios::app) << "x";
      std::this_thread::sleep_for(milliseconds(2));
    }));
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(fs::file_size(directory_.path() + "/done"), 8U);
}

TEST_F(WorkLockTest, SaysForWhomItWaits) {
  const pid_t child = holder();
  std::stop_source stop;
  std::jthread waiter([&] {
    const auto lock = hold("numpy", stop.get_token());
    ASSERT_FALSE(lock.has_value());
    EXPECT_EQ(lock.error().kind, ErrorKind::kCancelled);
    EXPECT_THAT(lock.error().message, HasSubstr("stopped while waiting for process"));
  });
  while (notes_.count == 0) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  stop.request_stop();
  waiter.join();
  EXPECT_THAT(notes_.last, HasSubstr("waiting for process " + std::to_string(child) +
                                     " (making numpy, for 0 s)"));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_F(WorkLockTest, AStopEndsTheWaitAtOnce) {
  const auto lock = hold();
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(milliseconds(30));
    stop.request_stop();
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(hold("numpy", stop.get_token()).error().kind, ErrorKind::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(2000));
}

TEST_F(WorkLockTest, TakesOverFromTheDeadAtOnce) {
  for (int i = 0; i < 20; ++i) {
    const pid_t child = holder();
    std::jthread killer([&] {
      std::this_thread::sleep_for(milliseconds(i % 5));
      ::kill(child, SIGKILL);
    });
    const auto lock = hold();
    ASSERT_TRUE(lock.has_value());
    killer.join();
    ::waitpid(child, nullptr, 0);
    EXPECT_EQ(lock_files(), 1);
  }
}

TEST_F(WorkLockTest, ALockFileOfTheDeadIsNoObstacle) {
  fs::create_directories(directory_.path() + "/locks");
  const std::string path = directory_.path() + "/locks/" + Digest::of("numpy").hex();
  std::ofstream(path) << R"({"pid": 1, "started": "1", "since_ms": 5, "what": "\u001b[31m"})";
  EXPECT_TRUE(hold().has_value());
  EXPECT_EQ(notes_.count, 0);  // it was not waited for
}

TEST_F(WorkLockTest, NamesNobodyWhereTheFileSaysNothingTrue) {
  // Held without a word about the holder, and with the word of one that is dead.
  for (const char* text : {"", "[]", "{\"pid\": 999999999999, \"started\": \"1\"}",
                           R"({"pid": 1, "started": "x", "since_ms": 5, "what": "w"})"}) {
    fs::create_directories(directory_.path() + "/locks");
    const std::string path = directory_.path() + "/locks/" + Digest::of("numpy").hex();
    std::ofstream(path) << text;
    ASSERT_VALUE(held, io::FileLock::try_take(path));
    ASSERT_TRUE(held.has_value());
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THAT(hold("numpy", stop.get_token()).error().message, HasSubstr("another process"));
  }
}

TEST_F(WorkLockTest, AFullDiskDoesNotKeepFromLocking) {
  auto disk = io::SmallDisk::create(64 << 10);
  if (!disk) {
    GTEST_SKIP() << "mounting is not allowed";
  }
  fs::create_directory(disk->path() + "/locks");
  std::ofstream(disk->path() + "/full") << std::string(1 << 20, 'x');
  EXPECT_TRUE(WorkLock::hold(disk->path(), "k", "w", {}, notes_).has_value());
}

TEST_F(WorkLockTest, NamesTheFolderThatMayNotBeWritten) {
  const io::Unprivileged person;
  if (::geteuid() == 0) {
    GTEST_SKIP() << "root may write everywhere";
  }
  const auto lock = WorkLock::hold("/usr/nowhere", "k", "w", {}, notes_);
  EXPECT_EQ(lock.error().kind, ErrorKind::kPermission);
  EXPECT_THAT(lock.error().message, HasSubstr("/usr/nowhere"));
}

}  // namespace
}  // namespace cloche::blob
