#include "core/encoding.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace cloche {
namespace {

// RFC 4648, section 10.
TEST(Base64, HasTheRfcsVectors) {
  EXPECT_EQ(to_base64(""), "");
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("fo"), "Zm8=");
  EXPECT_EQ(to_base64("foo"), "Zm9v");
  EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(from_base64("Zm8"), "fo");
}

TEST(Base64, RefusesWhatIsNone) {
  for (const char* text : {"Z", "Zm9v!", "Zm 9v", "====", "Zg==Zg=="}) {
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  }
}

RC_GTEST_PROP(Base64, GivesBackWhatWasWritten, (const std::string& bytes)) {
  RC_ASSERT(from_base64(to_base64(bytes)) == bytes);
}

TEST(PercentEncoded, LeavesOnlyWhatIsUnreserved) {
  EXPECT_EQ(percent_encoded("aZ0-._~"), "aZ0-._~");
  EXPECT_EQ(percent_encoded("a b/c:\xff&="), "a%20b%2Fc%3A%FF%26%3D");
}

}  // namespace
}  // namespace cloche
