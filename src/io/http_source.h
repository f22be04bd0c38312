// Where the body of an upload comes from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "io/descriptor.h"

namespace cloche::io {

// Called from the thread that runs the transfers.
class HttpSource {
 public:
  HttpSource() = default;
  HttpSource(const HttpSource&) = delete;
  HttpSource& operator=(const HttpSource&) = delete;
  virtual ~HttpSource() = default;

  virtual std::uint64_t size_bytes() const = 0;
  // Before the first byte of each attempt: the body is sent from its start.
  virtual Status rewind() = 0;
  // Fills the buffer from its start; 0 only at the end. An error ends the transfer for good.
  virtual Result<std::size_t> read(std::span<char> buffer) = 0;
};

class StringSource : public HttpSource {
 public:
  explicit StringSource(std::string content) : content_(std::move(content)) {}

  std::uint64_t size_bytes() const override { return content_.size(); }
  Status rewind() override;
  Result<std::size_t> read(std::span<char> buffer) override;

 private:
  std::string content_;
  std::size_t sent_ = 0;
};

// A part of a file, which is opened when it is first read.
class FilePartSource : public HttpSource {
 public:
  FilePartSource(std::string path, std::uint64_t offset, std::uint64_t bytes)
      : path_(std::move(path)), offset_(offset), bytes_(bytes) {}

  std::uint64_t size_bytes() const override { return bytes_; }
  Status rewind() override;
  // kCorrupt: the file is shorter than it was said to be.
  Result<std::size_t> read(std::span<char> buffer) override;

 private:
  std::string path_;
  std::uint64_t offset_;
  std::uint64_t bytes_;
  Descriptor file_;
  std::uint64_t sent_ = 0;
};

}  // namespace cloche::io
