#include "definition/lint/shell_words.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace cloche::definition {
namespace {

MappedText script(std::string_view text) {
  MappedText mapped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    mapped.push(text[i], i);
  }
  return mapped;
}

// "a b && c" as "a|b && c": words parted by '|', commands by their operator.
std::string shape(std::string_view text) {
  static constexpr std::string_view kNames[] = {"", " && ", " || ", " ; ", " | ", " & "};
  std::string out;
  for (const ShellCommand& command : split_shell(script(text))) {
    for (const ShellWord& word : command.assignments) {
      out += "{" + word.text + "}";
    }
    for (std::size_t i = 0; i < command.words.size(); ++i) {
      out += (i > 0 ? "|" : "") + command.words[i].text;
    }
    for (const ShellWord& word : command.outputs) {
      out += ">" + word.text;
    }
    out += kNames[static_cast<std::size_t>(command.next)];
  }
  return out;
}

TEST(SplitShell, CutsAtOperators) {
  EXPECT_EQ(shape("apt-get update && apt-get install -y git || true; ls | wc & x"),
            "apt-get|update && apt-get|install|-y|git || true ; ls | wc & x");
  EXPECT_EQ(shape("a;b\nc\n\n"), "a ; b ; c ; ");
  EXPECT_EQ(shape("(cd x && make)"), "cd|x && make ; ");
}

TEST(SplitShell, ResolvesQuotesAndBackslashes) {
  EXPECT_EQ(shape(R"(echo 'a && b' "c;d" e\ f "g\"h" 'it'"'"'s')"),
            R"(echo|a && b|c;d|e f|g"h|it's)");
  EXPECT_EQ(shape("pip install \"numpy>=1.2\""), "pip|install|numpy>=1.2");
}

TEST(SplitShell, KeepsExpansionsAsWritten) {
  EXPECT_EQ(shape("echo $(ls | wc -l) ${x:-a b} \"$(date; id)\" `id -u`"),
            "echo|$(ls | wc -l)|${x:-a b}|$(date; id)|`id -u`");
  const auto commands = split_shell(script("echo $HOME '$HOME'"));
  EXPECT_TRUE(commands[0].words[1].dynamic);
  EXPECT_FALSE(commands[0].words[2].dynamic);
}

TEST(SplitShell, SetsPrefixesAndRedirectionsApart) {
  EXPECT_EQ(shape("PIP_NO_CACHE_DIR=1 A='x y' pip install x > /dev/null 2>&1 &>log"),
            "{PIP_NO_CACHE_DIR=1}{A=x y}pip|install|x>/dev/null>log");
  EXPECT_EQ(shape("export A=1"), "export|A=1");
}

TEST(SplitShell, TakesKeywordsForSeparators) {
  EXPECT_EQ(shape("if [ -f x ]; then pip install x; fi"), "[|-f|x|] ; pip|install|x ; ");
  EXPECT_EQ(shape("for i in 1 2; do echo $i; done"), "for|i|in|1|2 ; echo|$i ; ");
}

TEST(SplitShell, EndsCommentsAtTheLine) { EXPECT_EQ(shape("a # b && c\nd a#b"), "a ; d|a#b"); }

TEST(SplitShell, LooksIntoShellTexts) {
  EXPECT_EQ(shape("bash -lc 'conda activate x && pip install y' && z"),
            "bash|-lc|conda activate x && pip install y && conda|activate|x && pip|install|yz");
  const std::string text = "bash -c \"a && pip install y\"";
  const auto commands = split_shell(script(text));
  ASSERT_EQ(commands.size(), 3U);
  EXPECT_EQ(commands[2].script, 1U);
  const ShellWord& word = commands[2].words[1];
  EXPECT_EQ(text.substr(word.begin, word.end - word.begin), "install");
}

TEST(SplitShell, KnowsWhereWordsStand) {
  const std::string text = "  pip install 'a b'  c";
  const auto commands = split_shell(script(text));
  ASSERT_EQ(commands.size(), 1U);
  const ShellWord& word = commands[0].words[2];
  EXPECT_EQ(text.substr(word.begin, word.end - word.begin), "'a b'");
}

TEST(SplitShell, AcceptsBrokenText) {
  for (const std::string_view text : {"'", "\"", "`", "$(", "${", "\\", "a &&", "&& a", "<", ">",
                                      "2>", "a | | b", "((", "))", "\"$(", "&>", "$"}) {
    split_shell(script(text));
  }
}

TEST(SplitShell, StopsAtItsLimit) {
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    text += "a;";
  }
  EXPECT_EQ(split_shell(script(text), 10).size(), 10U);
}

RC_GTEST_PROP(SplitShell, EveryWordLiesInTheText, (const std::string& text)) {
  for (const ShellCommand& command : split_shell(script(text))) {
    for (const ShellWord& word : command.words) {
      RC_ASSERT(word.begin <= word.end);
      RC_ASSERT(word.end <= text.size());
    }
  }
}

std::string program(std::string_view text) {
  const auto commands = split_shell(script(text));
  const Call call = call_of(commands.at(0));
  std::string out = call.program;
  for (const ShellWord& word : call.args) {
    out += " " + word.text;
  }
  return out;
}

TEST(CallOf, SeesThroughWrappers) {
  EXPECT_EQ(program("sudo -E env A=1 /usr/bin/python3.11 -m pip install x"), "pip install x");
  EXPECT_EQ(program("/opt/venv/bin/pip3 install x"), "pip install x");
  EXPECT_EQ(program("conda run --no-capture-output -n env pip install x"), "pip install x");
  EXPECT_EQ(program("exec gunicorn app"), "gunicorn app");
  EXPECT_EQ(program("python3 train.py"), "python train.py");
  EXPECT_EQ(program("pipx install x"), "pipx install x");
  EXPECT_EQ(program("A=1"), "");
}

TEST(CallOf, FindsOptions) {
  const auto commands = split_shell(script("apt-get -yq install --name=x -n y git -t z vim"));
  const Call call = call_of(commands.at(0));
  EXPECT_TRUE(call.has({"-y", "--yes"}));
  EXPECT_FALSE(call.has({"--no-install-recommends"}));
  EXPECT_EQ(call.verb(), "install");
  EXPECT_EQ(call.value({"--name"}), "x");
  EXPECT_EQ(call.value({"-n"}), "y");
  static constexpr std::string_view kValued[] = {"-n", "-t"};
  const auto words = operands(call, kValued);
  ASSERT_EQ(words.size(), 2U);
  EXPECT_EQ(words[0]->text, "git");
  EXPECT_EQ(words[1]->text, "vim");
}

}  // namespace
}  // namespace cloche::definition
