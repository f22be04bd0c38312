#include "source/conda/msgpack.h"

#include <array>
#include <limits>
#include <vector>

#include "core/text.h"

namespace cloche::source {
namespace {

using Type = MsgpackReader::Type;

// What a first byte from 0xc0 on means: the type, how many bytes of length or number follow, and
// how many bytes the value then has beyond its length (an extension's type byte and data).
struct Format {
  Type type;
  int number_bytes;     // of the length, or of the number itself
  int fixed_bytes = 0;  // of payload, when its length is not written
  bool valid = true;
};

constexpr std::array<Format, 32> kFormats{{
    {Type::kNil, 0},            // c0
    {Type::kNil, 0, 0, false},  // c1: never used
    {Type::kBool, 0},           // c2 false
    {Type::kBool, 0},           // c3 true
    {Type::kBinary, 1},         // c4 bin 8
    {Type::kBinary, 2},         // c5
    {Type::kBinary, 4},         // c6
    {Type::kExtension, 1, 1},   // c7 ext 8
    {Type::kExtension, 2, 1},   // c8
    {Type::kExtension, 4, 1},   // c9
    {Type::kFloat, 4},          // ca
    {Type::kFloat, 8},          // cb
    {Type::kInteger, 1},        // cc uint 8
    {Type::kInteger, 2},        // cd
    {Type::kInteger, 4},        // ce
    {Type::kInteger, 8},        // cf
    {Type::kInteger, 1},        // d0 int 8
    {Type::kInteger, 2},        // d1
    {Type::kInteger, 4},        // d2
    {Type::kInteger, 8},        // d3
    {Type::kExtension, 0, 2},   // d4 fixext 1
    {Type::kExtension, 0, 3},   // d5 fixext 2
    {Type::kExtension, 0, 5},   // d6 fixext 4
    {Type::kExtension, 0, 9},   // d7 fixext 8
    {Type::kExtension, 0, 17},  // d8 fixext 16
    {Type::kString, 1},         // d9 str 8
    {Type::kString, 2},         // da
    {Type::kString, 4},         // db
    {Type::kArray, 2},          // dc
    {Type::kArray, 4},          // dd
    {Type::kMap, 2},            // de
    {Type::kMap, 4},            // df
}};

bool has_length(Type type) {
  return type == Type::kString || type == Type::kBinary || type == Type::kExtension;
}

}  // namespace

// The first bytes of a value: everything but what it contains.
struct MsgpackReader::Head {
  Type type = Type::kNil;
  std::size_t size = 1;     // of the head itself
  std::uint64_t count = 0;  // bytes, elements or pairs that follow; or the number, as bits
  bool negative = false;    // the number is signed, and below 0
};

std::string_view to_string(MsgpackReader::Type type) {
  constexpr std::array<std::string_view, 9> kNames{"nil",      "a boolean", "an integer",
                                                   "a float",  "a string",  "binary data",
                                                   "an array", "a map",     "an extension"};
  return kNames.at(static_cast<std::size_t>(type));
}

Result<MsgpackReader::Head> MsgpackReader::head() const {
  if (at_end()) {
    return fail(ErrorKind::kCorrupt, "the msgpack data ends at byte {}", offset_);
  }
  const auto first = static_cast<unsigned char>(bytes_[offset_]);
  Head out;
  if (first < 0x80) {
    return Head{Type::kInteger, 1, first, false};
  }
  if (first < 0x90) {
    out = {Type::kMap, 1, first & 0x0FU, false};
  } else if (first < 0xA0) {
    out = {Type::kArray, 1, first & 0x0FU, false};
  } else if (first < 0xC0) {
    out = {Type::kString, 1, first & 0x1FU, false};
  } else if (first >= 0xE0) {
    const std::int64_t value = std::int64_t{first} - 0x100;
    return Head{Type::kInteger, 1, static_cast<std::uint64_t>(value), true};
  } else {
    const Format& format = kFormats.at(first - 0xC0U);
    out.type = format.type;
    out.size = 1 + static_cast<std::size_t>(format.number_bytes);
    if (!format.valid) {
      return fail(ErrorKind::kCorrupt, "byte {} of the msgpack data means nothing", offset_);
    }
    if (bytes_.size() - offset_ < out.size) {
      return fail(ErrorKind::kCorrupt, "the msgpack data ends in the value at byte {}", offset_);
    }
    for (int i = 0; i < format.number_bytes; ++i) {
      out.count = out.count << 8U | static_cast<unsigned char>(bytes_[offset_ + 1 + i]);
    }
    if (first >= 0xD0 && first <= 0xD3) {  // signed: extend the sign of the top bit
      const unsigned unused = 64U - (8U * static_cast<unsigned>(format.number_bytes));
      const std::int64_t value = static_cast<std::int64_t>(out.count << unused) >> unused;
      out.count = static_cast<std::uint64_t>(value);
      out.negative = value < 0;
    }
    if (first == 0xC3) {
      out.count = 1;
    }
    out.count += static_cast<std::uint64_t>(format.fixed_bytes);
  }
  // A pair has at least two bytes, an element one: a count beyond that is a lie.
  const std::size_t left = bytes_.size() - offset_ - out.size;
  const bool container = out.type == Type::kArray || out.type == Type::kMap;
  const std::uint64_t least = out.type == Type::kMap ? out.count * 2 : out.count;
  if ((has_length(out.type) || container) && least > left) {
    return fail(ErrorKind::kCorrupt, "{} at byte {} of the msgpack data is longer than the data",
                to_string(out.type), offset_);
  }
  return out;
}

Result<Type> MsgpackReader::type() const { return TRY(head()).type; }

Result<MsgpackReader::Head> MsgpackReader::take(Type type, std::string_view name) {
  const Head next = TRY(head());
  if (next.type != type) {
    return fail(ErrorKind::kCorrupt, "byte {} of the msgpack data is {}, not {}", offset_,
                to_string(next.type), name);
  }
  return next;
}

Result<std::string_view> MsgpackReader::read_bytes(Type type, std::string_view name) {
  const Head next = TRY(take(type, name));
  const std::string_view out = bytes_.substr(offset_ + next.size, next.count);
  offset_ += next.size + next.count;
  return out;
}

Result<std::string_view> MsgpackReader::read_string() {
  const std::size_t before = offset_;
  const std::string_view out = TRY(read_bytes(Type::kString, "a string"));
  if (!is_valid_utf8(out)) {
    offset_ = before;
    return fail(ErrorKind::kCorrupt, "the string at byte {} of the msgpack data is no UTF-8",
                before);
  }
  return out;
}

Result<std::string_view> MsgpackReader::read_binary() {
  return read_bytes(Type::kBinary, "binary data");
}

Result<std::int64_t> MsgpackReader::read_integer() {
  const Head next = TRY(take(Type::kInteger, "an integer"));
  if (!next.negative && next.count > std::numeric_limits<std::int64_t>::max()) {
    return fail(ErrorKind::kCorrupt, "the integer at byte {} of the msgpack data is too large",
                offset_);
  }
  offset_ += next.size;
  return static_cast<std::int64_t>(next.count);
}

Result<bool> MsgpackReader::read_bool() {
  const Head next = TRY(take(Type::kBool, "a boolean"));
  offset_ += next.size;
  return next.count != 0;
}

Status MsgpackReader::read_nil() {
  offset_ += TRY(take(Type::kNil, "nil")).size;
  return {};
}

Result<std::size_t> MsgpackReader::read_array() {
  const Head next = TRY(take(Type::kArray, "an array"));
  offset_ += next.size;
  return static_cast<std::size_t>(next.count);
}

Result<std::size_t> MsgpackReader::read_map() {
  const Head next = TRY(take(Type::kMap, "a map"));
  offset_ += next.size;
  return static_cast<std::size_t>(next.count);
}

Status MsgpackReader::skip() {
  MsgpackReader ahead = *this;
  std::vector<std::uint64_t> open;  // how many values each container still lacks
  do {
    const Head next = TRY(ahead.head());
    ahead.offset_ += next.size + (has_length(next.type) ? next.count : 0);
    if (!open.empty()) {
      --open.back();
    }
    if (next.type == Type::kArray || next.type == Type::kMap) {
      if (open.size() >= kMaxDepth) {
        return fail(ErrorKind::kCorrupt, "the msgpack data is nested deeper than {} at byte {}",
                    kMaxDepth, ahead.offset_);
      }
      open.push_back(next.type == Type::kMap ? next.count * 2 : next.count);
    }
    while (!open.empty() && open.back() == 0) {
      open.pop_back();
    }
  } while (!open.empty());
  *this = ahead;
  return {};
}

}  // namespace cloche::source
