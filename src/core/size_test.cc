#include "core/size.h"

#include <gtest/gtest.h>

namespace cloche {
namespace {

TEST(Size, ReadsWhatPeopleWrite) {
  EXPECT_EQ(parse_size("0").value(), 0U);
  EXPECT_EQ(parse_size(" 4096 ").value(), 4096U);
  EXPECT_EQ(parse_size("10b").value(), 10U);
  EXPECT_EQ(parse_size("500MB").value(), 500'000'000U);
  EXPECT_EQ(parse_size("500m").value(), 500'000'000U);
  EXPECT_EQ(parse_size("1.5 TiB").value(), 1'649'267'441'664U);
  EXPECT_EQ(parse_size("2k").value(), 2000U);
}

TEST(Size, RefusesWhatIsNone) {
  for (const char* text : {"", "GB", "-1", "+1", "1XB", "1 GBs", "1e9", "nan", "inf", "99999999PB",
                           "1,5GB", "0x10", "1i"}) {
    const auto size = parse_size(text);
    ASSERT_FALSE(size.has_value()) << text;
    EXPECT_EQ(size.error().kind, ErrorKind::kInvalid);
  }
}

TEST(Size, ShowsThreeDigits) {
  EXPECT_EQ(shown_size(0), "0 B");
  EXPECT_EQ(shown_size(999), "999 B");
  EXPECT_EQ(shown_size(1000), "1.0 kB");
  EXPECT_EQ(shown_size(999'949), "999.9 kB");
  EXPECT_EQ(shown_size(999'950), "1.0 MB");
  EXPECT_EQ(shown_size(12'345'678'901), "12.3 GB");
  EXPECT_EQ(shown_size(UINT64_MAX), "18446.7 PB");
}

}  // namespace
}  // namespace cloche
