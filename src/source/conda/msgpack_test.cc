#include "source/conda/msgpack.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "source/conda/msgpack_testing.h"

namespace cloche::source {
namespace {

using namespace std::string_literals;  // NOLINT(google-build-using-namespace): bytes with NULs
using Type = MsgpackReader::Type;

// The examples of the specification's tables: each first byte with what it means.
struct Format {
  std::string bytes;
  Type type;
};

TEST(Msgpack, KnowsEveryFormat) {
  for (const Format& one : {
           Format{"\xC0", Type::kNil},
           Format{"\xC2", Type::kBool},
           Format{"\xC3", Type::kBool},
           Format{"\x00"s, Type::kInteger},
           Format{"\x7F", Type::kInteger},
           Format{"\xE0", Type::kInteger},
           Format{"\xCC\xFF", Type::kInteger},
           Format{"\xCD\xFF\xFF", Type::kInteger},
           Format{"\xD1\xFF\xFF", Type::kInteger},
           Format{"\xD3\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", Type::kInteger},
           Format{"\xCA\x00\x00\x00\x00"s, Type::kFloat},
           Format{"\xCB\x00\x00\x00\x00\x00\x00\x00\x00"s, Type::kFloat},
           Format{"\xA1x", Type::kString},
           Format{"\xD9\x01x", Type::kString},
           Format{"\xDA\x00\x01x"s, Type::kString},
           Format{"\xDB\x00\x00\x00\x01x"s, Type::kString},
           Format{"\xC4\x01x", Type::kBinary},
           Format{"\xC5\x00\x01x"s, Type::kBinary},
           Format{"\x91\xC0", Type::kArray},
           Format{"\xDC\x00\x01\xC0"s, Type::kArray},
           Format{"\xDD\x00\x00\x00\x01\xC0"s, Type::kArray},
           Format{"\x81\xC0\xC0", Type::kMap},
           Format{"\xDE\x00\x01\xC0\xC0"s, Type::kMap},
           Format{"\xDF\x00\x00\x00\x01\xC0\xC0"s, Type::kMap},
           Format{"\xD4\x01x", Type::kExtension},
           Format{"\xD8\x01"s + std::string(16, 'x'), Type::kExtension},
           Format{"\xC7\x03\x01xxx", Type::kExtension},
       }) {
    MsgpackReader reader(one.bytes);
    ASSERT_VALUE(type, reader.type());
    EXPECT_EQ(type, one.type) << to_string(type);
    EXPECT_TRUE(reader.skip());
    EXPECT_TRUE(reader.at_end()) << to_string(type);
    // Cut anywhere, it is refused.
    for (std::size_t size = 0; size < one.bytes.size(); ++size) {
      MsgpackReader cut(std::string_view(one.bytes).substr(0, size));
      EXPECT_FALSE(cut.skip()) << to_string(type) << size;
      EXPECT_EQ(cut.offset(), 0U);
    }
  }
}

TEST(Msgpack, ReadsValues) {
  MsgpackWriter writer;
  writer.map(2).text("a").integer(-5).text("b").array(3).boolean(true).nil().binary("\x00\x01"s);
  MsgpackReader reader(writer.bytes());
  EXPECT_EQ(reader.read_map().value(), 2U);
  EXPECT_EQ(reader.read_string().value(), "a");
  EXPECT_EQ(reader.read_integer().value(), -5);
  EXPECT_FALSE(reader.read_integer());  // a string: the cursor stays
  EXPECT_EQ(reader.read_string().value(), "b");
  EXPECT_EQ(reader.read_array().value(), 3U);
  EXPECT_TRUE(reader.read_bool().value());
  EXPECT_TRUE(reader.read_nil());
  EXPECT_EQ(reader.read_binary().value(), "\x00\x01"s);
  EXPECT_TRUE(reader.at_end());
}

TEST(Msgpack, RefusesWhatLies) {
  for (const std::string& bytes : {
           ""s,
           "\xC1"s,                         // means nothing
           "\xDB\xFF\xFF\xFF\xFFx"s,        // a string of 4 GB
           "\xDD\xFF\xFF\xFF\xFF"s,         // an array of 2^32
           "\xDF\x7F\xFF\xFF\xFF\xC0"s,     // a map of 2^31
           "\xC9\xFF\xFF\xFF\xFF\x01"s,     // an extension of 4 GB
           std::string(1U << 20U, '\x91'),  // arrays in arrays
           std::string(40, '\x91') + "\xC0",
       }) {
    MsgpackReader reader(bytes);
    const Status skipped = reader.skip();
    ASSERT_FALSE(skipped);
    EXPECT_EQ(skipped.error().kind, ErrorKind::kCorrupt);
    EXPECT_EQ(reader.offset(), 0U);
  }
  EXPECT_FALSE(MsgpackReader("\xA2\xFF\xFF").read_string());                           // no UTF-8
  EXPECT_FALSE(MsgpackReader("\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF").read_integer());  // 2^64 - 1
}

RC_GTEST_PROP(Msgpack, WhatIsWrittenIsRead,
              (std::int64_t number, const std::string& binary, bool flag)) {
  const std::string text = std::to_string(number) + std::string(binary.size() * 50, 'x');
  MsgpackWriter writer;
  writer.array(4).integer(number).binary(binary).boolean(flag).text(text);
  MsgpackReader reader(writer.bytes());
  RC_ASSERT(reader.read_array().value() == 4U);
  RC_ASSERT(reader.read_integer().value() == number);
  RC_ASSERT(reader.read_binary().value() == binary);
  RC_ASSERT(reader.read_bool().value() == flag);
  RC_ASSERT(reader.read_string().value() == text);
  MsgpackReader skipping(writer.bytes());
  RC_ASSERT(skipping.skip().has_value());
  RC_ASSERT(skipping.at_end());
}

}  // namespace
}  // namespace cloche::source
