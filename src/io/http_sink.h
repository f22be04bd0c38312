// Where the body of a download goes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/digest.h"
#include "core/result.h"
#include "io/descriptor.h"

namespace cloche::io {

// Called from the thread that runs the transfers, one transfer's bytes in their order.
class HttpSink {
 public:
  HttpSink() = default;
  HttpSink(const HttpSink&) = delete;
  HttpSink& operator=(const HttpSink&) = delete;
  virtual ~HttpSink() = default;

  // A body begins at its start: once before its first byte (also of an empty one), and again when
  // it has to be sent anew. What was written before is void.
  virtual Status restart() = 0;
  // An error ends the transfer for good.
  virtual Status write(std::string_view bytes) = 0;
};

// Collects the body in memory; HttpRequest::limit_bytes bounds it.
class StringSink : public HttpSink {
 public:
  Status restart() override {
    content_.clear();
    return {};
  }
  Status write(std::string_view bytes) override {
    content_ += bytes;
    return {};
  }

  const std::string& content() const { return content_; }
  std::string take() && { return std::move(content_); }

 private:
  std::string content_;
};

// Writes into a file and hashes on the way. The file stays after errors, so that a later transfer
// can continue it.
class FileSink : public HttpSink {
 public:
  struct Hashes {
    Digest sha256;
    std::string md5;  // "" unless asked for
  };

  // Creates the file, or opens it for continuing: then what it has is read once, for the hashes.
  // Links are not followed. kPermission, kUnavailable.
  static Result<std::unique_ptr<FileSink>> open(const std::string& path, bool with_md5 = false);

  Status restart() override;
  Status write(std::string_view bytes) override;

  const std::string& path() const { return path_; }
  std::uint64_t size_bytes() const { return size_bytes_; }
  // The first bytes of the content, up to 16: what kind of file it is.
  const std::string& head() const { return head_; }

  // Ends the hashes, syncs and closes; once, nothing may be written afterwards.
  Result<Hashes> finish();

 private:
  FileSink(std::string path, Descriptor file, bool with_md5);
  Status read_existing();
  void take(std::string_view bytes);

  std::string path_;
  Descriptor file_;
  bool with_md5_;
  std::uint64_t size_bytes_ = 0;
  std::string head_;
  Hasher sha256_;
  Hasher md5_{Hasher::Algorithm::kMd5};
};

}  // namespace cloche::io
