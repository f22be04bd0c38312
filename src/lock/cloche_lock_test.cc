#include "lock/cloche_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "lock/testing.h"

namespace cloche::lock {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

Error refused(std::string_view text) {
  Diagnostics diagnostics;
  auto result = parse_cloche_lock(text, "cloche.lock", diagnostics);
  EXPECT_FALSE(result.has_value());
  return result ? Error{} : result.error();
}

std::string with_change(const std::string& from, const std::string& to) {
  std::string text = write_cloche_lock(sample_lock());
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ClocheLock, LooksLikeThis) {
  expect_golden(CLOCHE_TESTDATA, "cloche/sample.lock", write_cloche_lock(sample_lock()));
}

RC_GTEST_PROP(ClocheLockProperty, ReadsBackWhatItWrites, ()) {
  const Lock lock = *any_lock();
  const std::string text = write_cloche_lock(lock);
  Diagnostics diagnostics;
  const auto read = parse_cloche_lock(text, "cloche.lock", diagnostics);
  if (!read) {
    RC_FAIL(read.error().to_string() + text);
  }
  RC_ASSERT(diagnostics.empty());
  RC_ASSERT(write_cloche_lock(*read) == text);
  RC_ASSERT(*read == lock);
}

TEST(ClocheLock, RefusesANewerFormat) {
  const Error error = refused(with_change("format_version: 1", "format_version: 2"));
  EXPECT_EQ(error.kind, ErrorKind::kUnsupported);
  EXPECT_EQ(error.at.line, 2);
  EXPECT_THAT(error.hint, HasSubstr("newer cloche"));
}

TEST(ClocheLock, NamesTheLineOfWhatIsWrong) {
  const Error error = refused(with_change("version: 3.11.10", "version: [3]"));
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
  EXPECT_THAT(error.to_string(), HasSubstr("'version' is a list, not a text"));
  EXPECT_THAT(error.excerpt, HasSubstr("version: [3]"));
  EXPECT_THAT(refused(with_change("name: certifi", "name: ../certifi")).message,
              HasSubstr("no package's name"));
  EXPECT_THAT(refused(with_change("name: certifi", "name: __glibc")).message,
              HasSubstr("no package's name"));
  EXPECT_THAT(refused(with_change("name: certifi", "name: python")).message,
              HasSubstr("python is locked twice"));
  EXPECT_THAT(refused(with_change("strict", "stern")).hint, HasSubstr("strict, flexible"));
  EXPECT_THAT(refused(with_change("sha256: ", "sha256: x")).message, HasSubstr("64 hex digits"));
  EXPECT_THAT(refused(with_change("size: ", "size: -")).message, HasSubstr("whole number"));
  EXPECT_THAT(refused(with_change("platform: linux-64", "platform: linux-65")).message,
              HasSubstr("unknown platform"));
  EXPECT_THAT(refused("[]").message, HasSubstr("a lock is a list"));
  EXPECT_THAT(refused("format_version: 1\nplatform: linux-64\n").message,
              HasSubstr("has no 'conda'"));
}

TEST(ClocheLock, WarnsOfKeysThatItDoesNotKnow) {
  Diagnostics diagnostics;
  ASSERT_VALUE(lock, parse_cloche_lock(with_change("      size:", "      sice: 3\n      size:"),
                                       "cloche.lock", diagnostics));
  ASSERT_THAT(diagnostics.list(), SizeIs(1));
  EXPECT_EQ(diagnostics.list()[0].rule, "lock-unknown-key");
  EXPECT_THAT(diagnostics.list()[0].hint, HasSubstr("size"));
  EXPECT_EQ(lock, sample_lock());
}

TEST(ClocheLock, RefusesGarbageQuickly) {
  refused(std::string(1 << 20, '['));
  refused(std::string(1 << 20, '\xff'));
  EXPECT_THAT(refused(std::string(std::size_t{17} << 20U, ' ')).message, HasSubstr("larger than"));
  std::string extras;
  for (int i = 0; i < 60'000; ++i) {
    extras += "k" + std::to_string(i) + ": [],";
  }
  refused(
      "format_version: 1\nplatform: linux-64\nconda: {channel_priority: strict, packages: [{"
      "name: a, version: 1, extra_depends: {" +
      extras + "}}, {name: a, version: 1}]}\n");
}

}  // namespace
}  // namespace cloche::lock
