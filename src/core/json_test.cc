#include "core/json.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"

namespace cloche {
namespace {

TEST(Json, KeepsTheOrderOfKeys) {
  Json json;
  json.set("zebra", 1)
      .set("ape", Json::array().push(nullptr).push(true))
      .set("empty", Json::object());
  EXPECT_EQ(json.dump(), R"({"zebra":1,"ape":[null,true],"empty":{}})");
  EXPECT_EQ(json.dump(4),
            "{\n    \"zebra\": 1,\n    \"ape\": [\n        null,\n        true\n    ],\n    "
            "\"empty\": {}\n}");
}

TEST(Json, ReadsWhatIsAbsentAsNull) {
  const Json json = Json::object().set("name", "x");
  EXPECT_TRUE(json["nothing"]["below"].is_null());
  EXPECT_EQ(json.string_or_empty("name"), "x");
  EXPECT_EQ(json.string_or_empty("nothing"), "");
}

// RFC 8785, 3.2.2 and 3.2.3: the RFC's own example.
TEST(CanonicalJson, WritesTheExampleOfTheRfc) {
  ASSERT_VALUE(json, parse_json(R"({
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  })"));
  EXPECT_EQ(json.canonical(),
            R"({"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],)"
            "\"string\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

TEST(CanonicalJson, SortsKeysByUtf16CodeUnits) {
  ASSERT_VALUE(
      json,
      parse_json(
          R"({"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
    "1": "One", "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"})"));
  std::string values;
  ASSERT_VALUE(again, parse_json(json.canonical()));
  for (const auto& [key, value] : again.members()) {
    values += value.as_string() + ";";
  }
  EXPECT_EQ(values,
            "Carriage Return;One;Control;Latin Small Letter O With Diaeresis;Euro Sign;Emoji: "
            "Grinning Face;"
            "Hebrew Letter Dalet With Dagesh;");
}

// RFC 8785, appendix B.
TEST(CanonicalJson, WritesNumbersAsEcmascriptDoes) {
  const std::pair<double, std::string_view> cases[] = {
      {0.0, "0"},
      {-0.0, "0"},
      {5e-324, "5e-324"},
      {-5e-324, "-5e-324"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {9007199254740992.0, "9007199254740992"},
      {295147905179352830000.0, "295147905179352830000"},
      {9.999999999999997e22, "9.999999999999997e+22"},
      {1e23, "1e+23"},
      {1.0000000000000001e23, "1.0000000000000001e+23"},
      {999999999999999700000.0, "999999999999999700000"},
      {999999999999999900000.0, "999999999999999900000"},
      {1e21, "1e+21"},
      {9.999999999999997e-7, "9.999999999999997e-7"},
      {0.000001, "0.000001"},
      {333333333.3333332, "333333333.3333332"},
      {-0.0000033333333333333333, "-0.0000033333333333333333"},
      {1424953923781206.2, "1424953923781206.2"}};
  for (const auto& [number, text] : cases) {
    EXPECT_EQ(Json(number).canonical(), text);
  }
}

struct Refusal {
  std::string_view text;
  int line;
  std::string_view part;
};

TEST(ParseJson, SaysWhereItIsWrong) {
  const Refusal cases[] = {
      {"{\n  \"a\": 1,\n  \"a\": 2}", 3, "stands twice"},
      {"[1,]", 1, "syntax error"},
      {"", 1, "syntax error"},
      {"\"\xff\"", 1, "UTF-8"},
      {"[1] 2", 1, "syntax error"},
  };
  for (const Refusal& one : cases) {
    const auto result = parse_json(one.text, "x.json");
    ASSERT_FALSE(result.has_value()) << one.text;
    EXPECT_EQ(result.error().at.line, one.line) << one.text;
    EXPECT_NE(result.error().message.find(one.part), std::string::npos)
        << result.error().to_string();
  }
}

TEST(ParseJson, TakesHugeIntegersAsDoubles) {
  ASSERT_VALUE(json,
               parse_json("[18446744073709551615, 99999999999999999999, -9223372036854775808]"));
  EXPECT_EQ(json.canonical(), "[18446744073709552000,100000000000000000000,-9223372036854775808]");
}

TEST(ParseJson, RefusesDeepNestingAtOnce) {
  const std::string deep(1 << 20, '[');
  const auto result = parse_json(deep);
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(result.error().message.find("nested deeper"), std::string::npos);
}

rc::Gen<Json> any_json(int depth) {
  const auto text = rc::gen::map(rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127)),
                                 [](std::string s) { return Json(std::move(s)); });
  const auto leaf = rc::gen::oneOf(
      rc::gen::just(Json()),
      rc::gen::map(rc::gen::arbitrary<bool>(), [](bool b) { return Json(b); }),
      rc::gen::map(rc::gen::arbitrary<std::int64_t>(), [](std::int64_t i) { return Json(i); }),
      text);
  if (depth == 0) {
    return leaf;
  }
  const auto array = rc::gen::map(rc::gen::container<std::vector<Json>>(any_json(depth - 1)),
                                  [](std::vector<Json> items) { return Json(std::move(items)); });
  const auto object = rc::gen::map(
      rc::gen::container<std::map<std::string, Json>>(
          rc::gen::container<std::string>(rc::gen::inRange<char>(32, 127)), any_json(depth - 1)),
      [](const std::map<std::string, Json>& members) {
        Json out = Json::object();
        for (const auto& [key, value] : members) {
          out.set(key, value);
        }
        return out;
      });
  return rc::gen::oneOf(leaf, array, object);
}

// Quadratic work on these would take minutes.
TEST(ParseJson, ReadsManyKeysAndStillSeesADouble) {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) {
    text += '"' + std::to_string(i) + "\":1,";
  }
  EXPECT_EQ(parse_json(text + "\"x\":1}").value().members().size(), 200'001U);
  EXPECT_FALSE(parse_json(text + "\"150000\":1}").has_value());
}

RC_GTEST_PROP(JsonProperty, ParsesWhatItWrites, ()) {
  const Json json = *any_json(2);
  RC_ASSERT(parse_json(json.dump()).value() == json);
  RC_ASSERT(parse_json(json.dump(2)).value() == json);
  RC_ASSERT(parse_json(json.canonical()).value().canonical() == json.canonical());
}

}  // namespace
}  // namespace cloche
