#include "source/debian/apt_auth.h"

#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::source {
namespace {

std::string told(const AptAuth& auth, std::string_view url) {
  const auto headers = auth.headers(url);
  return headers.empty() ? "" : headers.front().value;
}

TEST(AptAuth, TellsTheHostOfAnEntryAndNoOther) {
  AptAuth auth;
  auth.add(
      "# a note\nmachine mirror.example/debian/\n  login ada\n  password x:y\n"
      "machine http://plain.example:8080 login bob password z\n");
  const std::string ada = "Basic YWRhOng6eQ==";
  EXPECT_EQ(told(auth, "https://mirror.example/debian/dists/x/InRelease"), ada);
  EXPECT_EQ(told(auth, "https://Mirror.Example/debian"), ada);
  EXPECT_EQ(told(auth, "http://plain.example:8080/a"), "Basic Ym9iOno=");
  for (const char* other :
       {"http://mirror.example/debian/x", "https://mirror.example/debian-security/x",
        "https://mirror.example/", "https://mirror.example.evil/debian/x",
        "https://eve@mirror.example/debian/x", "https://mirror.example:444/debian/x",
        "https://plain.example:8080/a", "http://plain.example/a", "file:/etc/passwd", ""}) {
    EXPECT_EQ(told(auth, other), "") << other;
  }
}

TEST(AptAuth, PassesOverWhatMeansNothing) {
  AptAuth auth;
  auth.add("login nobody password x machine");
  EXPECT_TRUE(auth.empty());
  auth.add("machine a.example password x\nmachine b.example login");
  EXPECT_EQ(told(auth, "https://a.example/"), "");
  EXPECT_EQ(told(auth, "https://b.example/"), "");
}

TEST(AptAuth, ReadsAptsFiles) {
  MemoryFiles files;
  files.add("apt/auth.conf.d/one.conf", "machine a.example login ada password x");
  files.add("apt/auth.conf.d/two.bak", "machine b.example login ada password x");
  const AptAuth auth = AptAuth::load(files, "apt");
  EXPECT_NE(told(auth, "https://a.example/x"), "");
  EXPECT_EQ(told(auth, "https://b.example/x"), "");
}

}  // namespace
}  // namespace cloche::source
