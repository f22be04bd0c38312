#include "io/spill_buffer.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "io/testing.h"

namespace cloche::io {
namespace {

TEST(SpillBuffer, KeepsBytesInMemoryAndBeyondThatInAFileThatGoesWithIt) {
  const TemporaryDirectory place = test_directory();
  const auto files = [&] {
    const std::filesystem::directory_iterator all(place.path());
    return std::distance(begin(all), end(all));
  };
  std::string expected;
  {
    SpillBuffer buffer(1000, place.path());
    for (int i = 0; i < 300; ++i) {
      const std::string piece = std::to_string(i * 7919) + ",";
      ASSERT_TRUE(buffer.append(piece));
      expected += piece;
      EXPECT_EQ(files(), expected.size() > 1000 ? 1 : 0);
    }
    EXPECT_EQ(buffer.size(), expected.size());
    for (int round = 0; round < 2; ++round) {
      std::string all;
      ASSERT_TRUE(buffer.read([&](std::string_view piece) -> Status {
        all += piece;
        return {};
      }));
      EXPECT_EQ(all, expected);
    }
  }
  EXPECT_EQ(files(), 0);
}

}  // namespace
}  // namespace cloche::io
