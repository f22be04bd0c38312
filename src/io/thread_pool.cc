#include "io/thread_pool.h"

#include <algorithm>

namespace cloche::io {

// Shared by the caller and the threads that help it: whoever lets go last frees it.
struct ThreadPool::Batch {
  Batch(std::size_t tasks, const std::function<Status(std::size_t)>& what, std::stop_token until)
      : count(tasks), task(what), stop(std::move(until)) {}

  // Runs tasks until none is left to begin.
  void help() {
    std::unique_lock lock(mutex);
    while (next < count && !error && !stop.stop_requested()) {
      const std::size_t index = next++;
      ++running;
      lock.unlock();
      Status status = task(index);
      lock.lock();
      --running;
      if (!status && (!error || index < error_index)) {
        error = std::move(status.error());
        error_index = index;
      }
    }
    if (running == 0) {
      ended.notify_all();
    }
  }

  const std::size_t count;
  const std::function<Status(std::size_t)>& task;  // the caller of run() keeps it
  const std::stop_token stop;

  std::mutex mutex;
  std::condition_variable ended;
  std::size_t next = 0;
  std::size_t running = 0;
  std::optional<Error> error;
  std::size_t error_index = 0;
};

ThreadPool::ThreadPool(unsigned threads) {
  if (threads == 0) {
    threads = std::max(1U, std::thread::hardware_concurrency()) - 1;
  }
  for (unsigned i = 0; i < threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
}

ThreadPool::~ThreadPool() = default;

void ThreadPool::work(const std::stop_token& stop) {
  while (true) {
    std::shared_ptr<Batch> batch;
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [this] { return !batches_.empty(); })) {
        return;
      }
      batch = batches_.front();
    }
    batch->help();
    const std::scoped_lock lock(mutex_);
    std::erase(batches_, batch);  // nothing of it is left to begin
  }
}

Status ThreadPool::run(std::size_t count, const std::function<Status(std::size_t)>& task,
                       const std::stop_token& stop) {
  const auto batch = std::make_shared<Batch>(count, task, stop);
  if (count > 1 && !threads_.empty()) {
    {
      const std::scoped_lock lock(mutex_);
      batches_.push_back(batch);
    }
    wake_.notify_all();
  }
  batch->help();
  {
    const std::scoped_lock lock(mutex_);
    std::erase(batches_, batch);
  }
  std::unique_lock lock(batch->mutex);
  batch->ended.wait(lock, [&] { return batch->running == 0; });
  if (std::optional<Error> error = std::move(batch->error)) {
    return std::move(*error);
  }
  if (batch->next < count) {
    return fail(ErrorKind::kCancelled, "stopped");
  }
  return {};
}

}  // namespace cloche::io
