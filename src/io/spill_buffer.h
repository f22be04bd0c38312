// Bytes that are kept until they are all there, in memory while they are few and in a file when
// they are many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "io/descriptor.h"
#include "io/temporary.h"

namespace cloche::io {

// One thread.
class SpillBuffer {
 public:
  // Beyond `memory_bytes` the content goes to a temporary file in `directory` ("": $TMPDIR or
  // /tmp), which is gone with this object.
  SpillBuffer(std::size_t memory_bytes, std::string directory)
      : memory_bytes_(memory_bytes), directory_(std::move(directory)) {}

  // So much will come, it is believed: saves copying. What cannot stay in memory is not reserved.
  void expect(std::uint64_t bytes);

  Status append(std::string_view bytes);
  std::uint64_t size() const { return size_; }

  // The whole content in order, in pieces.
  Status read(const std::function<Status(std::string_view)>& take);

  // A part of it, in pieces.
  Status read_part(std::uint64_t offset, std::uint64_t bytes,
                   const std::function<Status(std::string_view)>& take);

 private:
  std::size_t memory_bytes_;
  std::string directory_;
  std::string memory_;
  std::optional<TemporaryFile> file_;
  Descriptor parts_;  // the same file, for read_part()
  std::uint64_t size_ = 0;
};

}  // namespace cloche::io
