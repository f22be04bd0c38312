#include "core/digest_many.h"

#include <gtest/gtest.h>

#include "core/digest.h"

namespace cloche {
namespace {

void expect_each(const std::vector<std::string>& texts) {
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const std::vector<std::string> is = sha256_of_each(views);
  ASSERT_EQ(is.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(is[i], Digest::of(texts[i]).hex()) << i << " of " << texts[i].size() << " bytes";
  }
}

std::string text_of(std::size_t size, std::size_t seed) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) {
    text += static_cast<char>((i * 131 + seed * 7919 + i / 7) % 256);
  }
  return text;
}

TEST(Sha256OfEach, OfNothing) {
  EXPECT_TRUE(sha256_of_each({}).empty());
  expect_each({""});
  expect_each({"abc"});
}

TEST(Sha256OfEach, IsAsOneAfterAnotherForEverySize) {
  std::vector<std::string> texts;
  for (std::size_t size = 0; size < 300; ++size) {
    texts.push_back(text_of(size, size));
  }
  expect_each(texts);
}

TEST(Sha256OfEach, OneThatIsMuchLargerHoldsNobodyUp) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 100; ++i) {
    texts.push_back(text_of(i % 9 == 0 ? 40'000 - i : 100 + i * 37, i));
  }
  texts.push_back(text_of(1'000'000, 3));
  expect_each(texts);
}

}  // namespace
}  // namespace cloche
