// Bytecode for the modules of a package, as conda's packages for one Python bring it: made by the
// channel's own interpreter.
#pragma once

#include <atomic>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "io/temporary.h"
#include "io/thread_pool.h"

namespace cloche::debian_channel {

// Any thread may compile. Holds an unpacked interpreter as long as it lives.
class BytecodeMaker {
 public:
  using Files = std::vector<std::pair<std::string, std::string>>;  // path in the prefix, content

  // Unpacks the payloads of the interpreter and the libraries that it needs into a directory below
  // `parent`. kUnsupported: it does not run on this machine.
  static Result<std::unique_ptr<BytecodeMaker>> create(const std::vector<std::string>& payloads,
                                                       const std::string& python,
                                                       const std::string& parent,
                                                       io::ThreadPool& pool,
                                                       const std::stop_token& stop);

  // The .pyc files of the sources, by path. A source that does not compile has none.
  Result<Files> compile(const Files& sources);

 private:
  BytecodeMaker(io::TemporaryDirectory directory, std::string python, io::ThreadPool& pool,
                std::stop_token stop)
      : directory_(std::move(directory)),
        python_(std::move(python)),
        pool_(pool),
        stop_(std::move(stop)) {}

  io::TemporaryDirectory directory_;
  std::string python_;
  io::ThreadPool& pool_;
  std::stop_token stop_;
  std::atomic<unsigned> count_ = 0;
};

}  // namespace cloche::debian_channel
