#include "runtime/subordinate_ids.h"

#include <array>

#include <gtest/gtest.h>

namespace cloche::runtime {
namespace {

TEST(SubordinateRange, IsTheFirstOfTheUser) {
  const std::array<std::string, 2> owners = {"1000", "ada"};
  const auto found =
      subordinate_range("# a note\nbob:100000:65536\nada:165536:65536\nada:300000:10\n", owners);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->first, 165536U);
  EXPECT_EQ(found->count, 65536U);
  EXPECT_EQ(subordinate_range("1000:7:9\n", owners)->first, 7U);
}

TEST(SubordinateRange, WhatIsNoEntryGivesNothing) {
  const std::array<std::string, 1> owners = {"ada"};
  for (const char* text :
       {"", "ada\n", "ada:1\n", "ada:x:65536\n", "ada:1:0\n", "ada:0:65536\n", "ada:1:2:3\n",
        "ada:4294967295:65536\n", "ada:-1:65536\n", "adam:100000:65536\n"}) {
    EXPECT_FALSE(subordinate_range(text, owners)) << text;
  }
}

TEST(UserName, IsLookedUpByNumber) {
  const char* passwd = "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n1000\n";
  EXPECT_EQ(user_name(passwd, 1000), "ada");
  EXPECT_EQ(user_name(passwd, 0), "root");
  EXPECT_EQ(user_name(passwd, 5), "");
}

}  // namespace
}  // namespace cloche::runtime
