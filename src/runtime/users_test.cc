#include "runtime/users.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::runtime {
namespace {

using testing::ElementsAre;

constexpr const char* kPasswd =
    "root:x:0:0:root:/root:/bin/bash\n"
    "broken:line\n"
    "huge:x:4294967295:4294967295::/:/bin/sh\n"
    "mlops:x:1000:1000:,,,:/home/mlops:/bin/sh\n"
    "1234:x:77:78::/odd:/bin/sh\n";
constexpr const char* kGroup =
    "root:x:0:\n"
    "video:x:44:mlops,other\n"
    "render:x:109:other,mlops\n"
    "mlops2:x:110:mlops2\n"
    "people:x:1000:\n";

TEST(FindUser, IsRootWhenNobodyIsNamed) {
  ASSERT_VALUE(user, find_user("", kPasswd, kGroup));
  EXPECT_EQ(user.uid, 0U);
  EXPECT_EQ(user.home, "/root");
  ASSERT_VALUE(bare, find_user("", "", ""));
  EXPECT_EQ(bare.uid, 0U);
  EXPECT_EQ(bare.home, "/root");
}

TEST(FindUser, HasTheGroupsOfItsName) {
  ASSERT_VALUE(user, find_user("mlops", kPasswd, kGroup));
  EXPECT_EQ(user.uid, 1000U);
  EXPECT_EQ(user.gid, 1000U);
  EXPECT_EQ(user.home, "/home/mlops");
  EXPECT_THAT(user.groups, ElementsAre(44, 109));
  ASSERT_VALUE(by_number, find_user("1000", kPasswd, kGroup));
  EXPECT_THAT(by_number.groups, ElementsAre(44, 109));
}

TEST(FindUser, WhoNamesAGroupGetsThatOne) {
  ASSERT_VALUE(user, find_user("mlops:video", kPasswd, kGroup));
  EXPECT_EQ(user.gid, 44U);
  EXPECT_TRUE(user.groups.empty());
  ASSERT_VALUE(numbers, find_user("7:8", kPasswd, kGroup));
  EXPECT_EQ(numbers.uid, 7U);
  EXPECT_EQ(numbers.gid, 8U);
  EXPECT_EQ(numbers.home, "/");
}

TEST(FindUser, ANameOfDigitsIsFoundAsAName) {
  ASSERT_VALUE(user, find_user("1234", kPasswd, kGroup));
  EXPECT_EQ(user.uid, 77U);
}

TEST(FindUser, RefusesNamesThatAreNotThere) {
  for (const char* name : {"nobody", "broken", "-1", "1x", "99999999999", "4294967295", ":"}) {
    const auto user = find_user(name, kPasswd, kGroup);
    EXPECT_FALSE(user.has_value()) << name;
  }
  EXPECT_EQ(find_user("mlops:nogroup", kPasswd, kGroup).error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace cloche::runtime
