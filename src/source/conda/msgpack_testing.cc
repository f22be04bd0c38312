#include "source/conda/msgpack_testing.h"

#include <zstd.h>

#include "core/check.h"

namespace cloche::source {

void MsgpackWriter::number(std::uint64_t value, int size) {
  for (int i = size - 1; i >= 0; --i) {
    byte(static_cast<unsigned>(value >> (8U * static_cast<unsigned>(i)) & 0xFFU));
  }
}

// A length in 1, 2 or 4 bytes behind the format's first byte, which counts up with them.
void MsgpackWriter::length(std::uint64_t value, unsigned first) {
  const unsigned step = value < 0x100 ? 0 : value < 0x10000 ? 1 : 2;
  byte(first + step);
  number(value, 1 << step);
}

MsgpackWriter& MsgpackWriter::nil() {
  byte(0xC0);
  return *this;
}

MsgpackWriter& MsgpackWriter::boolean(bool value) {
  byte(value ? 0xC3 : 0xC2);
  return *this;
}

MsgpackWriter& MsgpackWriter::integer(std::int64_t value) {
  if (value >= 0 && value < 0x80) {
    byte(static_cast<unsigned>(value));
  } else if (value < 0 && value >= -32) {
    byte(static_cast<unsigned>(value & 0xFF));
  } else {
    byte(value < 0 ? 0xD3 : 0xCF);
    number(static_cast<std::uint64_t>(value), 8);
  }
  return *this;
}

MsgpackWriter& MsgpackWriter::text(std::string_view value) {
  if (value.size() < 32) {
    byte(0xA0 + static_cast<unsigned>(value.size()));
  } else {
    length(value.size(), 0xD9);
  }
  bytes_ += value;
  return *this;
}

MsgpackWriter& MsgpackWriter::binary(std::string_view value) {
  length(value.size(), 0xC4);
  bytes_ += value;
  return *this;
}

MsgpackWriter& MsgpackWriter::array(std::size_t count) {
  if (count < 16) {
    byte(0x90 + static_cast<unsigned>(count));
  } else {
    byte(0xDD);
    number(count, 4);
  }
  return *this;
}

MsgpackWriter& MsgpackWriter::map(std::size_t count) {
  if (count < 16) {
    byte(0x80 + static_cast<unsigned>(count));
  } else {
    byte(0xDE);
    number(count, 2);
  }
  return *this;
}

MsgpackWriter& MsgpackWriter::raw(std::string_view bytes) {
  bytes_ += bytes;
  return *this;
}

std::string MsgpackWriter::zstd() const { return zstd_compressed(bytes_); }

std::string raw_hash(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return out;
}

std::string zstd_compressed(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 1);
  CHECK(ZSTD_isError(size) == 0);
  out.resize(size);
  return out;
}

}  // namespace cloche::source
