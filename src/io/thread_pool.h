// The one bounded set of threads: parallel work is batches over it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "core/result.h"

namespace cloche::io {

// Any thread may call run(), also a task of another batch: the calling thread works on its own
// batch, so nothing waits for a thread that waits. Destroyed when no batch runs.
class ThreadPool {
 public:
  // So many threads besides the caller's work at once; 0: one less than the machine's processors.
  explicit ThreadPool(unsigned threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // task(0) ... task(count - 1), begun in this order, each once; returns when all have ended.
  // After an error or a stop no further task begins. The error of the smallest index is returned,
  // which is the same whatever the threads do; kCancelled when the stop came before.
  Status run(std::size_t count, const std::function<Status(std::size_t)>& task,
             const std::stop_token& stop = {});

  // The results of task(0) ... task(count - 1) in their order; errors as in run().
  template <class Task>
  auto map(std::size_t count, const Task& task, const std::stop_token& stop = {})
      -> Result<std::vector<typename std::invoke_result_t<Task, std::size_t>::value_type>> {
    using Value = typename std::invoke_result_t<Task, std::size_t>::value_type;
    std::vector<std::optional<Value>> slots(count);
    TRY(run(
        count,
        [&](std::size_t i) -> Status {
          slots[i].emplace(TRY(task(i)));
          return {};
        },
        stop));
    std::vector<Value> values;
    values.reserve(count);
    for (std::optional<Value>& slot : slots) {
      if (slot) {  // always: run() gave no error
        values.push_back(std::move(*slot));
      }
    }
    return values;
  }

 private:
  struct Batch;

  void work(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<std::shared_ptr<Batch>> batches_;  // those with tasks that have not begun
  std::vector<std::jthread> threads_;           // last: they end before what they use
};

}  // namespace cloche::io
