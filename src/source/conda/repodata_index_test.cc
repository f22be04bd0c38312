#include "source/conda/repodata_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "io/file.h"
#include "io/testing.h"
#include "source/conda/repodata_index_builder.h"
#include "source/conda/repodata_testing.h"

namespace cloche::source {
namespace {

using ::testing::ElementsAre;

conda::PackageRecord record(const std::string& name, const std::string& version,
                            const std::string& build = "0") {
  conda::PackageRecord out;
  out.name = name;
  out.version = version;
  out.build = build;
  out.file_name = distribution_name(out) + ".conda";
  out.channel = "https://host/channel";
  out.subdir = "linux-64";
  out.url = out.channel + "/linux-64/" + out.file_name;
  return out;
}

std::string some_bytes() {
  RepodataIndexBuilder builder;
  builder.set_subdir("linux-64");
  builder.set_base_url("../files");
  for (int i = 0; i < 6; ++i) {
    conda::PackageRecord one = record("p" + std::to_string(i % 3), std::to_string(i));
    one.depends = {"python >=3", "p" + std::to_string(i)};
    one.extra_depends = {{"gpu", {"cuda", "x"}}, {"test", {}}};
    one.flags = {"cuda"};
    one.md5 = std::string(32, 'a');
    builder.add(one);
  }
  std::string bytes;
  EXPECT_TRUE(std::move(builder)
                  .finish([&](std::string_view piece) -> Status {
                    bytes += piece;
                    return {};
                  })
                  .has_value());
  return bytes;
}

TEST(RepodataIndex, GivesBackWhatWasAdded) {
  conda::PackageRecord full = record("numpy", "1!2.0", "py_3");
  full.build_number = 3;
  full.size_bytes = 12345678901;
  full.md5 = "000102030405060708090a0b0c0d0e0f";
  full.sha256 = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  full.depends = {"python >=3.9", "", "x"};
  full.constrains = {"y <2"};
  full.track_features = {"mkl"};
  full.extra_depends = {{"gpu", {"cuda >=12"}}, {"none", {}}};
  full.flags = {"blas:mkl"};
  full.noarch = conda::Noarch::kPython;
  full.python_site_packages_path = "lib/python3.13t";
  full.license = "BSD-3-Clause";
  full.license_family = "BSD";
  full.timestamp_ms = 1733433493834;
  conda::PackageRecord odd = record("a", "1");
  odd.file_name = "another name.tar.bz2";
  odd.url = "https://host/channel/linux-64/another%20name.tar.bz2";
  RepodataIndexBuilder builder;
  builder.set_subdir("linux-64");
  builder.add(full);
  builder.add(odd);
  ASSERT_VALUE(index, std::move(builder).finish());
  EXPECT_THAT(all_records(index), ElementsAre(odd, full));
}

TEST(RepodataIndex, FindsTheRecordsOfAName) {
  RepodataIndexBuilder builder;
  for (const char* name : {"b", "a", "ab", "c"}) {
    builder.add(record(name, "1"));
  }
  builder.add(record("b", "2"));
  ASSERT_VALUE(index, std::move(builder).finish());
  EXPECT_EQ(index.name_count(), 4U);
  EXPECT_EQ(index.records_of("b").size(), 2U);
  EXPECT_EQ(index.records_of("ab").size(), 1U);
  EXPECT_EQ(index.records_of("").size(), 0U);
  EXPECT_EQ(index.records_of("abc").size(), 0U);
  EXPECT_EQ(index.records_of("zz").size(), 0U);
}

TEST(RepodataIndex, IsTheSameFromAFile) {
  const std::string bytes = some_bytes();
  const io::TemporaryDirectory folder = io::test_directory();
  ASSERT_TRUE(io::write_file_atomically(folder.path() + "/x.index", bytes).has_value());
  ASSERT_VALUE(index, RepodataIndex::open(folder.path() + "/x.index"));
  EXPECT_EQ(all_records(index), all_records(RepodataIndex::from_bytes(bytes).value()));
  ASSERT_TRUE(io::write_file_atomically(folder.path() + "/y.index", "").has_value());
  EXPECT_EQ(RepodataIndex::open(folder.path() + "/y.index").error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(RepodataIndex::open(folder.path() + "/z.index").error().kind, ErrorKind::kNotFound);
}

TEST(RepodataIndex, RefusesWhatIsCutOrLonger) {
  const std::string bytes = some_bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto index = RepodataIndex::from_bytes(bytes.substr(0, size));
    ASSERT_FALSE(index.has_value()) << size;
    ASSERT_EQ(index.error().kind, ErrorKind::kCorrupt);
  }
  EXPECT_FALSE(RepodataIndex::from_bytes(bytes + "x").has_value());
  std::string newer = bytes;
  newer[8] = static_cast<char>(newer[8] + 1);
  EXPECT_FALSE(RepodataIndex::from_bytes(newer).has_value());
}

RC_GTEST_PROP(RepodataIndexProperty, DamagedBytesAreRefusedOrHarmless, ()) {
  static const std::string kBytes = some_bytes();
  std::string bytes = kBytes;
  for (int i = *rc::gen::inRange(1, 12); i > 0; --i) {
    bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
  }
  if (const auto index = RepodataIndex::from_bytes(bytes)) {
    touch_everything(*index);
  }
}

TEST(RepodataIndexBuilder, GivesTheSameBytesForTheSameRecords) {
  EXPECT_EQ(some_bytes(), some_bytes());
}

TEST(StringTable, GivesEachTextOneNumber) {
  StringTable table;
  EXPECT_EQ(table.add(""), 0U);
  std::vector<std::uint32_t> ids;
  for (int i = 0; i < 5000; ++i) {
    ids.push_back(table.add("text " + std::to_string(i)));
  }
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(table.add("text " + std::to_string(i)), ids[static_cast<std::size_t>(i)]);
    ASSERT_EQ(table.text(ids[static_cast<std::size_t>(i)]), "text " + std::to_string(i));
  }
  EXPECT_EQ(table.count(), 5001U);
}

TEST(ParseHex, ReadsBothCasesAndNothingElse) {
  unsigned char out[2] = {};
  EXPECT_TRUE(parse_hex("a0Ff", out));
  EXPECT_THAT(out, ElementsAre(0xa0, 0xff));
  for (const char* wrong : {"", "a0f", "a0fff", "a0fg", "a0 f", "-0ff"}) {
    EXPECT_FALSE(parse_hex(wrong, out)) << wrong;
  }
  EXPECT_THAT(out, ElementsAre(0, 0));
}

}  // namespace
}  // namespace cloche::source
