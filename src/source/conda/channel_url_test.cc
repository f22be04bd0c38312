#include "source/conda/channel_url.h"

#include <gtest/gtest.h>

namespace cloche::source {
namespace {

constexpr std::string_view kIndex = "https://host/a/channel/linux-64/repodata.json";

TEST(PackageUrl, IsBesideTheRepodataWithoutABaseUrl) {
  EXPECT_EQ(package_url(kIndex, "", "a-1-0.conda"), "https://host/a/channel/linux-64/a-1-0.conda");
}

TEST(PackageUrl, StartsFromAnAbsoluteBaseUrl) {
  EXPECT_EQ(package_url(kIndex, "https://files.host/linux-64/", "a-1-0.conda"),
            "https://files.host/linux-64/a-1-0.conda");
  EXPECT_EQ(package_url(kIndex, "https://files.host", "a-1-0.conda"),
            "https://files.host/a-1-0.conda");
  EXPECT_EQ(package_url(kIndex, "https://user:secret@files.host/x/", "a-1-0.conda"),
            "https://files.host/x/a-1-0.conda");
}

TEST(PackageUrl, ResolvesARelativeBaseUrlAgainstTheRepodatasDirectory) {
  EXPECT_EQ(package_url(kIndex, "files", "a-1-0.conda"),
            "https://host/a/channel/linux-64/files/a-1-0.conda");
  EXPECT_EQ(package_url(kIndex, "../files/./linux-64/", "a-1-0.conda"),
            "https://host/a/channel/files/linux-64/a-1-0.conda");
  EXPECT_EQ(package_url(kIndex, "/files", "a-1-0.conda"), "https://host/files/a-1-0.conda");
  EXPECT_EQ(package_url(kIndex, "//other/files", "a-1-0.conda"), "https://other/files/a-1-0.conda");
  EXPECT_EQ(package_url(kIndex, "../../../../../..", "a-1-0.conda"), "https://host/a-1-0.conda");
  EXPECT_EQ(package_url("file:///srv/channel/noarch/repodata.json", "../files", "a-1-0.conda"),
            "file:///srv/channel/files/a-1-0.conda");
}

TEST(PackageUrl, EscapesWhatAUrlCannotHold) {
  EXPECT_EQ(package_url("https://host/c/noarch/repodata.json", "", "a-1!2.0+cu121-py_0.conda"),
            "https://host/c/noarch/a-1!2.0+cu121-py_0.conda");
  EXPECT_EQ(package_url("https://host/c/noarch/repodata.json", "", "a b#c?d%e/../\xc3\xa9.conda"),
            "https://host/c/noarch/a%20b%23c%3Fd%25e%2F..%2F%C3%A9.conda");
}

}  // namespace
}  // namespace cloche::source
