#include "definition/pyyaml_dump.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/json.h"
#include "core/testing.h"

namespace cloche::definition {
namespace {

std::string dump(const std::string& text) {
  const auto node = parse_yaml(text, "conda.yml");
  if (!node.has_value()) {
    return "unread: " + node.error().to_string();
  }
  auto out = pyyaml_dump(*node);
  return out.has_value() ? *out : "refused: " + out.error().message;
}

TEST(PyyamlDump, WritesACondaFileAsAzuresClientHashesIt) {
  EXPECT_EQ(dump("name: env\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.10\n"
                 "  - pip:\n      - numpy==1.26\n      - --extra-index-url https://x/y\n"),
            "channels:\n- conda-forge\ndependencies:\n- python=3.10\n- pip:\n  - numpy==1.26\n"
            "  - --extra-index-url https://x/y\nname: env\n");
}

TEST(PyyamlDump, ResolvesPlainScalarsAsSafeLoadDoes) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"3.10", "3.1"},
      {"'3.10'", "'3.10'"},
      {"1_000", "1000"},
      {"0x1F", "31"},
      {"010", "8"},
      {"1:30", "90"},
      {"+5", "5"},
      {"-0", "0"},
      {"1e3", "1e3"},
      {"1.0e+3", "1000.0"},
      {"1.5e-7", "1.5e-07"},
      {"1.e+20", "1.0e+20"},
      {".5", "0.5"},
      {"-.5", "-.5"},
      {".inf", ".inf"},
      {"yes", "true"},
      {"Off", "false"},
      {"~", "null"},
      {"null", "null"},
      {"'yes'", "'yes'"},
      {"y", "y"},
      {"a b", "a b"},
      {"\"a\\tb\"", "\"a\\tb\""},
      {"'it''s'", "it's"},
      {"\"\"", "''"},
      {"a: b", "\n  a: b"},
      {"[]", "[]"},
      {"{}", "{}"},
      {"0b101", "5"},
      {"123456789012345678901", "123456789012345678901"},
  };
  for (const auto& [written, expected] : cases) {
    const bool nested = written == "a: b";
    const std::string text = nested ? "k: {a: b}" : "k: " + written;
    EXPECT_EQ(dump(text), "k:" + std::string(nested ? "" : " ") + expected + "\n") << written;
  }
}

TEST(PyyamlDump, RefusesWhatItCannotKnow) {
  EXPECT_EQ(dump("k: 2001-12-14"),
            "refused: Azure's hash of this value cannot be computed: '2001-12-14'");
  EXPECT_EQ(dump("text"), "refused: a mapping or a list is expected here, not a text");
  EXPECT_EQ(dump("1: a\nb: c").substr(0, 8), "refused:");
  EXPECT_EQ(dump(std::string(200, 'k') + ": v").substr(0, 8), "refused:");
}

// The judge: PyYAML itself, where it is installed, on real conda files and on generated documents.
std::vector<std::string> ask_pyyaml(const std::vector<std::string>& documents) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("cloche-pyyaml-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  Json list = Json::array();
  for (const std::string& document : documents) {
    list.push(document);
  }
  std::ofstream(folder / "in.json", std::ios::binary) << list.dump();
  const std::string script =
      "import json,yaml\n"
      "out=[]\n"
      "for t in json.load(open('in.json')):\n"
      "    try: out.append(yaml.dump(yaml.safe_load(t), sort_keys=True))\n"
      "    except Exception: out.append('refused')\n"
      "json.dump(out, open('out.json','w'))\n";
  std::ofstream(folder / "ask.py") << script;
  const std::string command =
      "cd '" + folder.string() + "' && /usr/bin/python3 ask.py >/dev/null 2>&1";
  std::vector<std::string> answers;
  if (std::system(command.c_str()) == 0) {
    std::ifstream stream(folder / "out.json", std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    if (const auto json = parse_json(text)) {
      for (const Json& answer : json->items()) {
        answers.push_back(answer.as_string());
      }
    }
  }
  std::filesystem::remove_all(folder);
  return answers;
}

std::string random_text(std::mt19937& random) {
  static const std::array<std::string, 34> kPieces = {"a",
                                                      "numpy",
                                                      " ",
                                                      "  ",
                                                      "=",
                                                      "==1.2",
                                                      ":",
                                                      ": ",
                                                      "#",
                                                      " #",
                                                      "-",
                                                      "- ",
                                                      "'",
                                                      "\"",
                                                      "\\",
                                                      "\n",
                                                      "\t",
                                                      "1",
                                                      ".",
                                                      "0x",
                                                      "[",
                                                      "]",
                                                      "{",
                                                      ",",
                                                      "!",
                                                      "é",
                                                      "%",
                                                      "@",
                                                      "?",
                                                      "yes",
                                                      "\n\n",
                                                      "torch @ https://example.org/a/b/c.whl",
                                                      "\xe2\x80\xa8",
                                                      "\xf0\x9f\x98\x80"};
  std::string out;
  const auto count = random() % 24;
  for (std::size_t i = 0; i < count; ++i) {
    out += kPieces[random() % kPieces.size()];
  }
  return out;
}

Json random_value(std::mt19937& random, int depth) {
  const auto kind = random() % (depth > 3 ? 4 : 7);
  if (kind < 4) {
    return random_text(random);
  }
  Json out = kind == 4 ? Json::object() : Json::array();
  const auto count = random() % 4;
  for (std::size_t i = 0; i < count; ++i) {
    if (kind == 4) {
      const std::string key = random_text(random);
      if (key.size() < 100 && key.find('\n') == std::string::npos) {
        out.set(key, random_value(random, depth + 1));
      }
    } else {
      out.push(random_value(random, depth + 1));
    }
  }
  return out;
}

void expect_as_pyyaml(const std::vector<std::string>& documents) {
  const std::vector<std::string> answers = ask_pyyaml(documents);
  if (answers.empty()) {
    GTEST_SKIP() << "no PyYAML here";
  }
  ASSERT_EQ(answers.size(), documents.size());
  std::size_t same = 0;
  std::size_t refused = 0;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const std::string ours = dump(documents[i]);
    if (answers[i] == "refused" || ours.starts_with("refused") || ours.starts_with("unread")) {
      ++refused;
      continue;
    }
    EXPECT_EQ(ours, answers[i]) << documents[i];
    same += ours == answers[i] ? 1 : 0;
  }
  EXPECT_GT(same, documents.size() * 8 / 10) << refused << " refused";
}

TEST(PyyamlDump, AgreesWithPyyamlOnGeneratedDocuments) {
  std::mt19937 random(20240229);  // NOLINT: the same documents in every run
  std::vector<std::string> documents;
  for (int i = 0; i < 800; ++i) {
    Json root = Json::object();
    root.set("key", random_value(random, 0));
    root.set("another", random_value(random, 0));
    documents.push_back(root.dump());  // JSON is YAML
  }
  expect_as_pyyaml(documents);
}

TEST(PyyamlDump, AgreesWithPyyamlOnPlainScalars) {
  std::mt19937 random(7);  // NOLINT
  static constexpr std::string_view kCharacters = "0123456789+-.:_exobTZ infanINF~=<yesno ";
  std::vector<std::string> documents;
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    const auto length = 1 + random() % 9;
    for (std::size_t k = 0; k < length; ++k) {
      text += kCharacters[random() % (i % 2 == 0 ? 15 : kCharacters.size())];
    }
    documents.push_back("k: " + text);
  }
  for (const char* text : {"190:20:30",
                           "190:20:30.15",
                           "1:99",
                           "08",
                           "0o7",
                           "1__0",
                           "_1",
                           "1.",
                           "1.e5",
                           "1e5",
                           "1.5e+300",
                           "1e+400",
                           "1.0e+400",
                           "-1.25",
                           "100000.0",
                           "1234567890123456.0",
                           "12345678901234567.0",
                           "0.0001",
                           "0.00001",
                           "2001-01-01",
                           "2001-1-1",
                           "2001-01-01 10:00:00",
                           "+.inf",
                           "+.nan"}) {
    documents.push_back(std::string("k: ") + text);
  }
  const std::vector<std::string> answers = ask_pyyaml(documents);
  if (answers.empty()) {
    GTEST_SKIP() << "no PyYAML here";
  }
  std::size_t same = 0;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const std::string ours = dump(documents[i]);
    if (answers[i] != "refused" && !ours.starts_with("refused") && !ours.starts_with("unread")) {
      EXPECT_EQ(ours, answers[i]) << documents[i];
      ++same;
    }
  }
  EXPECT_GT(same, 1400U);
}

TEST(PyyamlDump, AgreesWithPyyamlOnRealCondaFiles) {
  const std::string data = shared_data(CLOCHE_SOURCE_DIR, "definitions/conda.jsonl");
  if (data.empty()) {
    GTEST_SKIP() << "no shared data";
  }
  std::vector<std::string> documents;
  for (std::size_t begin = 0; begin < data.size();) {
    const std::size_t end = data.find('\n', begin);
    const auto line = parse_json(data.substr(begin, end - begin));
    if (line.has_value()) {
      documents.push_back((*line)["text"].as_string());
    }
    begin = end == std::string::npos ? data.size() : end + 1;
  }
  expect_as_pyyaml(documents);
}

}  // namespace
}  // namespace cloche::definition
