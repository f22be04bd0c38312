#include "io/thread_pool.h"

#include <atomic>
#include <chrono>

#include <gtest/gtest.h>

namespace cloche::io {
namespace {

TEST(ThreadPool, RunsEachTaskOnce) {
  ThreadPool pool(3);
  std::vector<std::atomic<int>> counts(1000);
  EXPECT_TRUE(pool.run(1000, [&](std::size_t i) -> Status {
    ++counts[i];
    return {};
  }));
  for (const std::atomic<int>& count : counts) {
    EXPECT_EQ(count, 1);
  }
  EXPECT_TRUE(pool.run(0, [](std::size_t) -> Status { return fail(ErrorKind::kInternal, "no"); }));
}

TEST(ThreadPool, GivesResultsInOrder) {
  ThreadPool pool(3);
  const auto squares = pool.map(100, [](std::size_t i) -> Result<std::size_t> { return i * i; });
  ASSERT_TRUE(squares);
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ((*squares)[i], i * i);
  }
}

TEST(ThreadPool, ReturnsTheErrorOfTheSmallestIndexWhateverComesFirst) {
  ThreadPool pool(4);
  for (int round = 0; round < 200; ++round) {
    const Status status = pool.run(50, [](std::size_t i) -> Status {
      if (i == 7) {
        std::this_thread::sleep_for(std::chrono::microseconds(50));
      }
      return i >= 7 ? Status(fail(ErrorKind::kInvalid, "task {}", i)) : Status();
    });
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().message, "task 7");
  }
}

TEST(ThreadPool, BeginsNothingAfterAStop) {
  ThreadPool pool(2);
  std::stop_source source;
  std::atomic<int> begun = 0;
  const Status status = pool.run(
      1000,
      [&](std::size_t) -> Status {
        if (++begun == 5) {
          source.request_stop();
        }
        return {};
      },
      source.get_token());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kCancelled);
  EXPECT_LT(begun, 20);
}

TEST(ThreadPool, ATaskMayRunABatchItself) {
  ThreadPool pool(1);
  std::atomic<int> count = 0;
  EXPECT_TRUE(pool.run(8, [&](std::size_t) {
    return pool.run(8, [&](std::size_t) -> Status {
      ++count;
      return {};
    });
  }));
  EXPECT_EQ(count, 64);
}

}  // namespace
}  // namespace cloche::io
