#include "package/oci/reference.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "core/text.h"

namespace cloche::oci {
namespace {

const std::string kHex = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";

TEST(ParseReference, FillsInWhatDockerFillsIn) {
  ASSERT_VALUE(one, parse_reference("python:3.11-slim"));
  EXPECT_EQ(one.registry, "docker.io");
  EXPECT_EQ(one.repository, "library/python");
  EXPECT_EQ(one.tag, "3.11-slim");
  EXPECT_EQ(one.digest, "");
  EXPECT_EQ(one.to_string(), "docker.io/library/python:3.11-slim");
  EXPECT_EQ(one.familiar(), "python:3.11-slim");
  ASSERT_VALUE(two, parse_reference("bitnami/redis"));
  EXPECT_EQ(two.to_string(), "docker.io/bitnami/redis");
  ASSERT_VALUE(old, parse_reference("index.docker.io/python"));
  EXPECT_EQ(old.to_string(), "docker.io/library/python");
}

TEST(ParseReference, ReadsARegistryWithAPort) {
  ASSERT_VALUE(one, parse_reference("localhost:5000/a/b_c/d--e:v1@sha256:" + kHex));
  EXPECT_EQ(one.registry, "localhost:5000");
  EXPECT_EQ(one.repository, "a/b_c/d--e");
  EXPECT_EQ(one.tag, "v1");
  EXPECT_EQ(one.digest, "sha256:" + kHex);
  EXPECT_TRUE(one.pinned());
  ASSERT_VALUE(six, parse_reference("[2001:db8::1]:5000/a"));
  EXPECT_EQ(six.registry, "[2001:db8::1]:5000");
  ASSERT_VALUE(local, parse_reference("localhost/a"));
  EXPECT_EQ(local.registry, "localhost");
  ASSERT_VALUE(mcr, parse_reference("mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"));
  EXPECT_EQ(mcr.registry, "mcr.microsoft.com");
  EXPECT_EQ(mcr.repository, "azureml/openmpi4.1.0-ubuntu22.04");
}

// A name whose first part has neither dot nor colon is no registry.
TEST(ParseReference, TellsARegistryFromARepository) {
  ASSERT_VALUE(one, parse_reference("team/image:1"));
  EXPECT_EQ(one.registry, "docker.io");
  EXPECT_EQ(one.repository, "team/image");
  ASSERT_VALUE(upper, parse_reference("REGISTRY/image"));
  EXPECT_EQ(upper.registry, "REGISTRY");
}

struct Bad {
  const char* text;
  const char* message;
  const char* hint;
  int column;
};

TEST(ParseReference, RefusesWithReasonPlaceAndHint) {
  const std::string short_digest = "python@sha256:" + kHex.substr(1);
  const std::string upper_digest = "python@sha256:B" + kHex.substr(1);
  const Bad cases[] = {
      {"", "empty", "python:3.11", 1},
      {"Python:3", "lower case", "did you mean python?", 1},
      {"https://user:secret@host/a", "has no \"https://\"", "registry/repository:tag", 1},
      {"python:", "tag after ':' is missing", "leave the ':' out", 8},
      {"python: 3", "no blanks", "", 8},
      {"python:-3", "'-' at its beginning", "tags are", 8},
      {"a/python:3/x", "cannot hold ':'", "", 9},
      {"host.io:port/x", "not a number", "host:5000", 9},
      {"host.io:99999/x", "larger than 65535", "", 9},
      {"a//b", "empty part", "one '/'", 3},
      {"-a/b", "begins and ends", "", 1},
      {"a..b", "cannot separate", "use one", 2},
      {"a___b", "cannot separate", "use one", 2},
      {"-host.io/b", "cannot hold '-'", "", 1},
      {"[::1/b", "no closing", "", 1},
      {"[zz::1]/b", "no IPv6 address", "zone", 2},
      {"python@", "an algorithm", "@sha256", 8},
      {"python@sha256:", "64 hexadecimal digits, this one 0", "", 15},
      {short_digest.c_str(), "64 hexadecimal digits, this one 63", "cut", 15},
      {upper_digest.c_str(), "lower-case", "lower case", 15},
      {"python@md5:abc", "unknown digest algorithm md5", "", 8},
      {kHex.c_str(), "image id", "@sha256", 1},
      {"registry.io/", "missing", "", 13},
  };
  for (const Bad& bad : cases) {
    const Result<Reference> got = parse_reference(bad.text);
    ASSERT_FALSE(got.has_value()) << bad.text;
    EXPECT_EQ(got.error().kind, ErrorKind::kInvalid) << bad.text;
    EXPECT_NE(got.error().message.find(bad.message), std::string::npos)
        << bad.text << ": " << got.error().message;
    EXPECT_NE(got.error().hint.find(bad.hint), std::string::npos)
        << bad.text << ": " << got.error().hint;
    EXPECT_EQ(got.error().at.column, bad.column) << bad.text;
    EXPECT_EQ(got.error().to_string().find("secret"), std::string::npos);
  }
}

TEST(ParseReference, SaysThatOtherDigestsAreUnsupported) {
  const Result<Reference> got = parse_reference("python@sha512:00");
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().kind, ErrorKind::kUnsupported);
}

TEST(ParseReference, RefusesWhatIsTooLong) {
  EXPECT_FALSE(parse_reference(std::string(256, 'a')).has_value());
  EXPECT_FALSE(parse_reference(std::string(250, 'a')).has_value());  // with library/
  EXPECT_TRUE(parse_reference(std::string(247, 'a')).has_value());
  EXPECT_TRUE(parse_reference("x/" + std::string(253, 'a')).has_value());
  EXPECT_FALSE(parse_reference("a:" + std::string(129, 'b')).has_value());
  EXPECT_TRUE(parse_reference("a:" + std::string(128, 'b')).has_value());
  EXPECT_FALSE(parse_reference(std::string(1U << 20U, 'a')).has_value());
}

TEST(Reference, FamiliarFormKeepsWhatWouldChangeTheMeaning) {
  for (const char* text : {"docker.io/library/localhost", "docker.io/a/b:1", "python", "ghcr.io/a",
                           "docker.io/library/a/b", "docker.io/library/a.b", "docker.io/a.b/c"}) {
    ASSERT_VALUE(one, parse_reference(text));
    ASSERT_VALUE(again, parse_reference(one.familiar()));
    EXPECT_EQ(again, one) << text << " as " << one.familiar();
  }
}

// Words that are registries, repositories or neither, in any order: what is taken survives
// printing.
RC_GTEST_PROP(Reference, ParsesWhatItPrints, ()) {
  const auto words = *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(
      std::vector<std::string>{"docker.io", "localhost", "library", "a", "b.c", "d--e:5000", "F"}));
  const std::string text = join(words, "/") +
                           *rc::gen::elementOf(std::vector<std::string>{"", ":", ":1", ":a.b"}) +
                           *rc::gen::elementOf(std::vector<std::string>{"", "@sha256:" + kHex});
  const Result<Reference> one = parse_reference(text);
  RC_CLASSIFY(one.has_value(), "taken");
  if (one.has_value()) {
    RC_ASSERT(*parse_reference(one->to_string()) == *one);
    RC_ASSERT(*parse_reference(one->familiar()) == *one);
  }
}

RC_GTEST_PROP(ParseReference, NeverFailsOnBytes, (const std::string& bytes)) {
  const Result<Reference> one = parse_reference(bytes);
  if (!one.has_value()) {
    RC_ASSERT(!one.error().message.empty());
  }
}

}  // namespace
}  // namespace cloche::oci
