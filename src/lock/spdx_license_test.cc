#include "lock/spdx_license.h"

#include <gtest/gtest.h>

#include "lock/sbom.h"
#include "lock/testing.h"

namespace cloche::lock {
namespace {

TEST(LicenseKindOf, TellsIdentifiersExpressionsAndNames) {
  EXPECT_EQ(license_kind(""), LicenseKind::kNone);
  EXPECT_EQ(license_kind("  "), LicenseKind::kNone);
  EXPECT_EQ(license_kind("MIT"), LicenseKind::kId);
  EXPECT_EQ(license_kind("mit"), LicenseKind::kName);
  EXPECT_EQ(license_kind("MIT OR Apache-2.0"), LicenseKind::kExpression);
  EXPECT_EQ(license_kind("(MIT OR Apache-2.0) AND BSD-3-Clause"), LicenseKind::kExpression);
  EXPECT_EQ(license_kind("GPL-3.0-only WITH GCC-exception-3.1"), LicenseKind::kExpression);
  EXPECT_EQ(license_kind("LicenseRef-Public-Domain"), LicenseKind::kExpression);
  EXPECT_EQ(license_kind("Apache-2.0+"), LicenseKind::kExpression);
  for (const char* name :
       {"BSD 3-Clause", "MIT OR", "OR MIT", "MIT MIT", "(MIT", "MIT)", "()", "MIT WITH nothing",
        "(MIT OR ISC) WITH LLVM-exception", "LicenseRef-", "LicenseRef-a_b", "MIT and ISC"}) {
    EXPECT_EQ(license_kind(name), LicenseKind::kName) << name;
  }
}

TEST(Purl, IsWhatTheSpecificationSays) {
  conda::PackageRecord record = sample_record("absl-py", "0.4.1", {}, "py36h06a4308_0");
  record.channel = "https://repo.anaconda.com/pkgs/main";
  record.file_name = "absl-py-0.4.1-py36h06a4308_0.tar.bz2";
  EXPECT_EQ(
      purl_of(record),
      "pkg:conda/absl-py@0.4.1?build=py36h06a4308_0&channel=main&subdir=linux-64&type=tar.bz2");
  EXPECT_EQ(purl_of(sample_record("x", "1!2.0+cu")),
            "pkg:conda/x@1%212.0%2Bcu?build=h0_0&channel=conda-forge&subdir=linux-64&type=conda");
  EXPECT_EQ(purl_of(BaseImage{"docker.io:5000/library/debian:12", "sha256:ab"}),
            "pkg:oci/debian@sha256:ab?repository_url=docker.io:5000%2Flibrary%2Fdebian");
  EXPECT_EQ(purl_of(BaseImage{"debian:12", ""}), "");
  EXPECT_EQ(purl_of(PypiPackage{.name = "torch", .version = "2.3.1+cpu"}),
            "pkg:pypi/torch@2.3.1%2Bcpu");
}

}  // namespace
}  // namespace cloche::lock
