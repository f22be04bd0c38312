#include "workspace/locations.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "definition/testing.h"

namespace cloche::workspace {
namespace {

RC_GTEST_PROP(Locations, ComeBackAsTheyWereTaken, ()) {
  const auto original = *definition::any_definition();
  auto stripped = original;
  const Json taken = take_locations(stripped);
  auto again = stripped;
  RC_ASSERT(take_locations(again)["files"].items().empty());
  const auto parsed = parse_json(taken.dump());
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(put_locations(stripped, *parsed).has_value());
  RC_ASSERT(stripped == original);
}

TEST(Locations, RefusesThoseOfAnotherDefinition) {
  definition::Definition definition;
  for (const char* text :
       {"null", "{}", R"({"files":[],"at":[]})", R"({"files":[],"at":[null,null]})",
        R"({"files":[],"at":[[0,1,1]]})", R"({"files":["a"],"at":[[0,-1,1]]})",
        R"({"files":["a"],"at":[[0,1]]})", R"({"files":["a"],"at":[[0,99999999999,1]]})",
        R"({"files":[1],"at":[null]})", R"({"files":["a"],"at":["x"]})"}) {
    const auto status = put_locations(definition, parse_json(text).value());
    ASSERT_FALSE(status.has_value()) << text;
    EXPECT_EQ(status.error().kind, ErrorKind::kCorrupt) << text;
  }
}

}  // namespace
}  // namespace cloche::workspace
