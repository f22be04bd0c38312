// MessagePack, read one value after another without copying (msgpack specification, spec.md). For
// the sharded repodata of CEP 16.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/result.h"

namespace cloche::source {

// A cursor over bytes, which outlive it; what it returns points into them. Bounded whatever the
// bytes say: a length or count beyond what is left is refused before anything is made of it, and
// skip() goes at most kMaxDepth deep. Errors are kCorrupt with the offset; the cursor then stays
// where it was. Values only.
class MsgpackReader {
 public:
  enum class Type {
    kNil,
    kBool,
    kInteger,
    kFloat,
    kString,
    kBinary,
    kArray,
    kMap,
    kExtension,  // timestamps and the like; can only be skipped
  };
  static constexpr int kMaxDepth = 32;

  explicit MsgpackReader(std::string_view bytes) : bytes_(bytes) {}

  bool at_end() const { return offset_ == bytes_.size(); }
  std::size_t offset() const { return offset_; }

  // What stands next; kCorrupt at the end, and for the byte 0xc1, which means nothing.
  Result<Type> type() const;

  Result<std::string_view> read_string();  // valid UTF-8
  Result<std::string_view> read_binary();
  Result<std::int64_t> read_integer();  // kCorrupt over 2^63 - 1
  Result<bool> read_bool();
  Status read_nil();

  // How many elements, or pairs of key and value, follow.
  Result<std::size_t> read_array();
  Result<std::size_t> read_map();

  // Goes past the next value with all that is in it.
  Status skip();

 private:
  struct Head;
  Result<Head> head() const;
  Result<Head> take(Type type, std::string_view name);
  Result<std::string_view> read_bytes(Type type, std::string_view name);

  std::string_view bytes_;
  std::size_t offset_ = 0;
};

std::string_view to_string(MsgpackReader::Type type);  // "a map", for messages

}  // namespace cloche::source
