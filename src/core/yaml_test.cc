#include "core/yaml.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "core/text.h"

namespace cloche {
namespace {

TEST(ParseYaml, KeepsTextsAndPlaces) {
  ASSERT_VALUE(node, parse_yaml("name: x\nversion: 1.10\nlist:\n  - 'a b'\n  - {k: v}\n", "e.yml"));
  ASSERT_TRUE(node.is_mapping());
  EXPECT_EQ(node.find("version")->text, "1.10");
  EXPECT_TRUE(node.find("version")->is_number());
  const YamlNode& list = *node.find("list");
  EXPECT_EQ(list.items[0].text, "a b");
  EXPECT_FALSE(list.items[0].plain);
  EXPECT_EQ(list.items[1].at.to_string(), "e.yml:5:5");
}

TEST(ParseYaml, ReadsNothingAsNull) {
  for (const std::string_view text : {"", "# only a comment\n", "~", "null\n", "---\n"}) {
    ASSERT_VALUE(node, parse_yaml(text, "e.yml"));
    EXPECT_TRUE(node.is_null()) << text;
  }
}

TEST(ParseYaml, ResolvesAliasesAndMergeKeys) {
  ASSERT_VALUE(node, parse_yaml("a: &x {k: 1, l: 2}\nb: *x\nc:\n  <<: *x\n  k: 3\n", "e.yml"));
  EXPECT_EQ(node.find("b")->find("l")->text, "2");
  EXPECT_EQ(node.find("c")->find("k")->text, "3");
  EXPECT_EQ(node.find("c")->find("l")->text, "2");
}

struct Refusal {
  std::string text;
  std::string_view part;
  int line;
};

TEST(ParseYaml, SaysWhereItIsWrongAndWhatToDo) {
  const Refusal cases[] = {
      {"a: 1\nb: 2\na: 3\n", "'a' stands twice; first in line 1", 3},
      {"a:\n\t- b\n", "cannot start any token", 2},
      {"name: {{ latest }}\n", "not a plain text", 1},
      {"a: 1\n---\nb: 2\n", "second YAML document", 2},
      {"a: *nothing\n", "alias *nothing", 1},
      {"a: b: c\n", "mapping values", 1},
      {"a: \"unclosed\n", "not valid YAML", 2},
      {"a: \xff\n", "not valid YAML", 1},
  };
  for (const Refusal& one : cases) {
    const auto result = parse_yaml(one.text, "e.yml");
    ASSERT_FALSE(result.has_value()) << one.text;
    EXPECT_NE(result.error().message.find(one.part), std::string::npos)
        << result.error().to_string();
    EXPECT_EQ(result.error().at.line, one.line) << result.error().to_string();
  }
}

TEST(ParseYaml, BoundsNestingAndAliases) {
  const auto deep = parse_yaml(std::string(1 << 20, '['), "deep.yml");
  ASSERT_FALSE(deep.has_value());
  EXPECT_NE(deep.error().message.find("nested deeper"), std::string::npos);

  std::string laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    laughs += fmt::format("a{0}: &a{0} [*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1}]\n",
                          i, i - 1);
  }
  const auto bomb = parse_yaml(laughs, "bomb.yml");
  ASSERT_FALSE(bomb.has_value());
  EXPECT_NE(bomb.error().message.find("aliases"), std::string::npos);
}

// Quadratic work on these would take minutes.
TEST(ParseYaml, MergesManyKeys) {
  std::string text = "a: &a {";
  for (int i = 0; i < 40'000; ++i) {
    text += std::to_string(i) + ": 1, ";
  }
  ASSERT_VALUE(node, parse_yaml(text + "}\nb: {<<: *a, 7: 2}\n", "many.yml"));
  const YamlNode* merged = node.find("b");
  EXPECT_EQ(merged->members.size(), 40'000U);
  EXPECT_EQ(merged->find("7")->text, "2");
}

TEST(ParseYaml, TakesABoundOfTheCallersOwn) {
  EXPECT_TRUE(parse_yaml("[a, b, c]", "f", 4).has_value());
  const auto refused = parse_yaml("[a, b, c]", "f", 3);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("more than 3 nodes"), std::string::npos);
}

TEST(ToYaml, QuotesWhatWouldBeTakenForSomethingElse) {
  Json json;
  json.set("version", "1.10")
      .set("no", "no")
      .set("empty", "")
      .set("pip", "numpy>=1.2")
      .set("date", "2024-01-01");
  json.set("glob", "*")
      .set("colon", "a: b")
      .set("hash", "a #b")
      .set("lines", "a\n b\n")
      .set("list", Json::array().push("- x").push(Json::object().set("k", 1)));
  EXPECT_EQ(to_yaml(json),
            "version: \"1.10\"\n\"no\": \"no\"\nempty: \"\"\npip: numpy>=1.2\ndate: "
            "\"2024-01-01\"\nglob: \"*\"\n"
            "colon: \"a: b\"\nhash: \"a #b\"\nlines: |\n  a\n   b\nlist:\n  - \"- x\"\n  - k: 1\n");
}

rc::Gen<std::string> any_text() {
  static const std::string kPieces[] = {"a",        "1",  ".",  ":", " ",           "#", "-",
                                        "\n",       "'",  "\"", "{", "yes",         "~", "\t",
                                        "\xc3\xa9", "0x", "|",  "é", "\xe2\x80\xa8"};
  return rc::gen::map(
      rc::gen::container<std::vector<int>>(rc::gen::inRange<int>(0, std::size(kPieces))),
      [](const std::vector<int>& picks) {
        std::string out;
        for (const int pick : picks) {
          out += kPieces[pick];
        }
        return out;
      });
}

RC_GTEST_PROP(YamlProperty, ReadsBackWhatItWrites, ()) {
  Json json = Json::object();
  json.set("text", *any_text())
      .set("list", Json::array()
                       .push(*any_text())
                       .push(Json::object().set("k", *any_text()).set("l", *any_text())));
  json.set("number", *rc::gen::arbitrary<std::int64_t>())
      .set("flag", true)
      .set("nothing", nullptr)
      .set(*any_text() + "x", Json::array());
  const std::string text = to_yaml(json);
  const auto node = parse_yaml(text, "");
  RC_ASSERT(node.has_value());
  RC_ASSERT(node->to_json(false) == json);
}

// The judge: PyYAML says which plain scalars are null, booleans or numbers.
TEST(ParseYaml, ResolvesScalarsAsPyyamlDoes) {
  const std::string folder = testing::TempDir();
  const std::vector<std::string> scalars = {
      "1",   "1.10", "1e3",   "1.e+3",  "0x1F",      "010",    "0o17",  "1_000", "yes",  "Yes",
      "yEs", "on",   "off",   "~",      "null",      "NULL",   "nUll",  ".5",    "5.",   ".",
      "-1",  "+1",   "+.inf", ".nan",   "190:20:30", "1:70",   "py39",  "0b11",  "1__0", "_1",
      "0",   "00",   "08",    "3.11.2", "1.2e5",     "1.2e+5", "1.5_0", "true",  "n",    "y"};
  std::ofstream(folder + "/scalars.txt") << join(scalars, "\n");
  const std::string command =
      "/usr/bin/python3 -c \"import yaml,sys\nfor l in open('" + folder +
      "/scalars.txt'):\n"
      " v=yaml.safe_load(l.rstrip('\\n'))\n print('null' if v is None else 'bool' if "
      "isinstance(v,bool) else 'number' if isinstance(v,(int,float)) else 'text')\" 2>/dev/null";
  FILE* pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string output;
  for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) {
    output += static_cast<char>(c);
  }
  if (pclose(pipe) != 0) {
    GTEST_SKIP() << "no PyYAML on this machine";
  }
  const auto kinds = split_lines(output);
  ASSERT_EQ(kinds.size(), scalars.size());
  for (std::size_t i = 0; i < scalars.size(); ++i) {
    ASSERT_VALUE(node, parse_yaml("k: " + scalars[i], ""));
    const YamlNode& value = *node.find("k");
    const std::string_view kind = value.is_null()     ? "null"
                                  : value.as_bool()   ? "bool"
                                  : value.is_number() ? "number"
                                                      : "text";
    EXPECT_EQ(kind, kinds[i]) << scalars[i];
  }
}

}  // namespace
}  // namespace cloche
