// MessagePack written: what tests read back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cloche::source {

// Each call appends one value, or the head of one; the shortest form of each.
class MsgpackWriter {
 public:
  MsgpackWriter& nil();
  MsgpackWriter& boolean(bool value);
  MsgpackWriter& integer(std::int64_t value);
  MsgpackWriter& text(std::string_view value);
  MsgpackWriter& binary(std::string_view value);
  MsgpackWriter& array(std::size_t count);
  MsgpackWriter& map(std::size_t count);
  MsgpackWriter& raw(std::string_view bytes);

  const std::string& bytes() const { return bytes_; }
  std::string zstd() const;  // compressed, as shards are

 private:
  void byte(unsigned value) { bytes_ += static_cast<char>(value); }
  void number(std::uint64_t value, int size);
  void length(std::uint64_t value, unsigned first);
  std::string bytes_;
};

// 32 raw bytes of 64 hex digits.
std::string raw_hash(std::string_view hex);
std::string zstd_compressed(std::string_view bytes);

}  // namespace cloche::source
