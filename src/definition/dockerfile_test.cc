#include "definition/dockerfile.h"

#include <chrono>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "core/text.h"

namespace cloche::definition {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

Result<Dockerfile> parse(std::string_view text) {
  Diagnostics diagnostics;
  return parse_dockerfile(text, "Dockerfile", diagnostics);
}

// The instructions after "FROM x", which is put in front.
std::vector<Instruction> after_from(std::string_view text) {
  auto dockerfile = parse("FROM x\n" + std::string(text));
  EXPECT_TRUE(dockerfile.has_value()) << dockerfile.error().to_string();
  if (!dockerfile.has_value()) {
    return {};
  }
  dockerfile->instructions.erase(dockerfile->instructions.begin());
  return dockerfile->instructions;
}

Instruction one(std::string_view text) {
  auto instructions = after_from(text);
  EXPECT_THAT(instructions, SizeIs(1));
  return instructions.empty() ? Instruction() : instructions.front();
}

Error broken(std::string_view text) {
  auto dockerfile = parse(text);
  EXPECT_FALSE(dockerfile.has_value()) << text;
  return dockerfile.has_value() ? Error() : dockerfile.error();
}

std::vector<std::string> rules_of(std::string_view text) {
  Diagnostics diagnostics;
  auto dockerfile = parse_dockerfile(text, "Dockerfile", diagnostics);
  EXPECT_TRUE(dockerfile.has_value()) << dockerfile.error().to_string();
  std::vector<std::string> rules;
  for (const Diagnostic& diagnostic : diagnostics.list()) {
    rules.push_back(diagnostic.rule);
  }
  return rules;
}

// The tree as text, for the golden files.
class Dump {
 public:
  explicit Dump(const Dockerfile& dockerfile) {
    for (const auto& [key, value] : dockerfile.directives) {
      out_ += fmt::format("# {}={}\n", key, value);
    }
    for (const Instruction& instruction : dockerfile.instructions) {
      add(instruction, "");
    }
    for (const Stage& stage : dockerfile.stages) {
      out_ += fmt::format("stage '{}' image '{}' [{}, {})\n", stage.name, stage.image, stage.first,
                          stage.last);
    }
  }
  const std::string& text() const { return out_; }

 private:
  void add(const Instruction& instruction, const std::string& indent) {
    out_ += fmt::format("{}{}:{}-{} {}{} |{}|\n", indent, instruction.at.line,
                        instruction.at.column, instruction.last_line, to_string(instruction.kind),
                        instruction.exec_form ? " exec" : "", instruction.rest);
    for (const InstructionFlag& flag : instruction.flags) {
      out_ += fmt::format("{}  {}:{} --{} {}\n", indent, flag.at.line, flag.at.column, flag.name,
                          flag.value.value_or("(none)"));
    }
    for (const std::string& arg : instruction.args) {
      out_ += fmt::format("{}  arg |{}|\n", indent, arg);
    }
    for (const auto& [name, value] : instruction.pairs) {
      out_ += fmt::format("{}  pair |{}| |{}|\n", indent, name, value.value_or("(none)"));
    }
    for (const Heredoc& heredoc : instruction.heredocs) {
      out_ += fmt::format("{}  {}:{} heredoc {}<<{}{}{}\n{}", indent, heredoc.at.line,
                          heredoc.at.column, heredoc.fd, heredoc.strip_tabs ? "-" : "",
                          heredoc.name, heredoc.expand ? "" : " literal", heredoc.body);
    }
    for (const Instruction& child : instruction.onbuild) {
      add(child, indent + "  ");
    }
  }

  std::string out_;
};

void expect_tree(const std::string& name, std::string_view text) {
  auto dockerfile = parse(text);
  ASSERT_TRUE(dockerfile.has_value()) << dockerfile.error().to_string();
  expect_golden(CLOCHE_TESTDATA, "dockerfile/" + name + ".txt", Dump(*dockerfile).text());
}

TEST(ParseDockerfile, GivesATreeThatKnowsItsLines) {
  expect_tree("simple", R"(# syntax=docker/dockerfile:1
ARG TAG=3.12
FROM python:${TAG}-slim AS Builder
ENV A=1 B="two words" C=th\ ree
env OLD style value
RUN --mount=type=cache,target=/root/.cache --network=none pip install \
      # a comment inside

      numpy \)"
                        "  \n"
                        R"(      scipy
COPY --from=builder --chown="1000:1000" a b /dest/
CMD ["python", "-m", "app"]
FROM scratch
ENTRYPOINT exec  top   -b
EXPOSE 80 443/tcp
)");
}

TEST(ParseDockerfile, ReadsEveryInstruction) {
  expect_tree("all", R"(FROM --platform=$BUILDPLATFORM a:1 AS one
ADD --checksum=sha256:00 --keep-git-dir=true --link https://example.org/x /x
ARG A B=2 C="3 4"
CMD top
COPY ["a b", "c"]
ENTRYPOINT []
EXPOSE 1 2
HEALTHCHECK --interval=5s --retries=3 CMD curl -f localhost || exit 1
HEALTHCHECK CMD ["curl", "localhost"]
HEALTHCHECK none
LABEL a.b=c "quoted key"="d e"
LABEL old label  value
MAINTAINER somebody <a@b>
ONBUILD COPY --chmod=755 a /b
ONBUILD RUN ["x"]
RUN echo hi
SHELL ["/bin/bash", "-c"]
STOPSIGNAL SIGINT
USER 1000:1000
VOLUME /a /b
VOLUME ["/c d"]
WORKDIR /a b
)");
}

TEST(ParseDockerfile, ReadsHeredocs) {
  expect_tree("heredocs",
              "FROM x\n"
              "RUN <<EOF\n# no comment here\necho \\\n\nEOF\n"
              "COPY --chmod=0644 <<one <<'two' /dest/\n1 $A\none\n2 $A\ntwo\n"
              "RUN <<-\"E\" 3<<X cat > /y\n\t\ttabs\n\tE\nx\nX\n"
              "ONBUILD RUN cat <<EOF\nbody\nEOF\n"
              "RUN cat <<< here; echo \"<<no\" a<<b << c\n"
              "CMD cat <<EOF\n");
}

TEST(ParseDockerfile, ReadsOddLineEnds) {
  expect_tree("crlf",
              "\xef\xbb\xbf# escape=`\r\n\r\nFROM x\r\nRUN a ` \r\n  # c\r\n b\r\n"
              "COPY <<E /x\r\nline\r\nE\r\nENV P=C:`\\dir Q=`\"x");
}

TEST(ParseDockerfile, TakesTemplatesAsText) {
  const auto dockerfile = parse(
      "FROM mcr.microsoft.com/azureml/openmpi:{{latest-image-tag}}\n"
      "RUN pip install 'azureml-core=={{latest-pypi-version}}'\n");
  ASSERT_TRUE(dockerfile.has_value());
  EXPECT_EQ(dockerfile->stages[0].image, "mcr.microsoft.com/azureml/openmpi:{{latest-image-tag}}");
}

TEST(ParseDockerfile, EndsDirectivesAtTheFirstOtherLine) {
  EXPECT_THAT(parse("# syntax = a\n#CHECK=skip=all\n# escape=`\nFROM x")->directives,
              ElementsAre(Pair("check", "skip=all"), Pair("escape", "`"), Pair("syntax", "a")));
  EXPECT_THAT(parse("\n# syntax=a\nFROM x")->directives, IsEmpty());
  EXPECT_THAT(parse("# other=a\n# syntax=a\nFROM x")->directives, IsEmpty());
  EXPECT_THAT(broken("# escape=x\nFROM x").message, HasSubstr("escape"));
  EXPECT_THAT(broken("# syntax=x\n# syntax=y\nFROM x").message, HasSubstr("twice"));
}

TEST(ParseDockerfile, JoinsContinuationsAsBuildKitDoes) {
  EXPECT_EQ(one("RUN a\\\nb \\\n  c").rest, "ab   c");
  EXPECT_EQ(one("RUN a \\\n# comment \\\n   # another\n\n\nb").rest, "a b");
  EXPECT_EQ(one("RUN a \\").rest, "a");
  EXPECT_EQ(one("RUN a \\ \t \nb").rest, "a b");
  EXPECT_THAT(after_from("RUN a \\\\\nENV b=c"), SizeIs(2));
}

TEST(ParseDockerfile, KeepsTheWholeValueOfALegacyPair) {
  const Instruction env = one("ENV  NAME   a  b=c \"d\"  ");
  EXPECT_TRUE(env.legacy_pair);
  EXPECT_THAT(env.pairs, ElementsAre(Pair("NAME", "a  b=c \"d\"")));
}

TEST(ParseDockerfile, TellsStagesApart) {
  const auto dockerfile = parse("ARG A\nFROM a AS One\nRUN x\nfrom b as two\nFROM one\nRUN y\n");
  ASSERT_TRUE(dockerfile.has_value());
  ASSERT_THAT(dockerfile->stages, SizeIs(3));
  EXPECT_EQ(dockerfile->stages[0].name, "one");
  EXPECT_EQ(dockerfile->stages[0].first, 1U);
  EXPECT_EQ(dockerfile->stages[0].last, 3U);
  EXPECT_EQ(dockerfile->stages[1].name, "two");
  EXPECT_EQ(dockerfile->stages[2].last, 6U);
}

TEST(ParseDockerfile, GivesLinesForExcerpts) {
  const auto dockerfile = parse("FROM x\r\n\r\nRUN y");
  EXPECT_EQ(dockerfile->line(1), "FROM x");
  EXPECT_EQ(dockerfile->line(2), "");
  EXPECT_EQ(dockerfile->line(3), "RUN y");
  EXPECT_EQ(dockerfile->line(4), "");
  EXPECT_EQ(dockerfile->line(0), "");
}

TEST(ParseDockerfile, WarnsOfOddities) {
  EXPECT_THAT(rules_of("FROM x\nENV a b"), ElementsAre("dockerfile-legacy-pair"));
  EXPECT_THAT(rules_of("FROM x\nMAINTAINER a b"), ElementsAre("dockerfile-maintainer"));
  EXPECT_THAT(rules_of("FROM x\nRUN a \\\n\n b"), ElementsAre("dockerfile-empty-continuation"));
  EXPECT_THAT(rules_of("FROM x\nCMD ['a', 'b']"), ElementsAre("dockerfile-broken-array"));
  EXPECT_THAT(rules_of("FROM x\nCMD [\"a\" \"b\"]"), ElementsAre("dockerfile-broken-array"));
  EXPECT_THAT(rules_of("FROM x\nCMD [\"C:\\win\"]"), ElementsAre("dockerfile-broken-array"));
  EXPECT_THAT(rules_of("FROM x\nRUN [ \"$a\" = b ]"), IsEmpty());
  EXPECT_THAT(rules_of("FROM x\nRUN [[ -f x ]]\nRUN [ -f x ] && y"), IsEmpty());
}

struct Broken {
  std::string text;
  std::string message;
  std::string hint;
  int line;
  int column;
};

class BrokenDockerfile : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenDockerfile, IsDiagnosedWithLineCaretAndHint) {
  const Error error = broken(GetParam().text);
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
  EXPECT_THAT(error.message, HasSubstr(GetParam().message));
  EXPECT_THAT(error.hint, HasSubstr(GetParam().hint));
  EXPECT_EQ(error.at.file, "Dockerfile");
  EXPECT_EQ(error.at.line, GetParam().line) << error.to_string();
  EXPECT_EQ(error.at.column, GetParam().column) << error.to_string();
}

INSTANTIATE_TEST_SUITE_P(
    ParseDockerfile, BrokenDockerfile,
    ::testing::Values(
        Broken{"FROM x\nRUNN y", "unknown instruction RUNN", "did you mean RUN?", 2, 1},
        Broken{"FROM x\nRUN apt-get install \\\n  git\n  # a comment\n  curl \\\n  vim",
               "unknown instruction curl", "line 3 probably lost the \\ at its end", 5, 3},
        Broken{"FROM x\nRUN a \\ # why\n  && b", "unknown instruction &&",
               "a comment stands after its \\", 3, 3},
        Broken{"FROM x\nRUN a\n&& b", "unknown instruction", "line 2 probably lost", 3, 1},
        Broken{"FROM x\n<<<<<<< HEAD\n", "unknown instruction", "merge conflict", 2, 1},
        Broken{"FROM x\nRUN\xc2\xa0y", "unknown instruction", "no-break space", 2, 1},
        Broken{"hello world", "unknown instruction hello", "a line starts with an instruction", 1,
               1},
        Broken{"", "no instruction", "start with FROM", 0, 0},
        Broken{"# nothing\n", "no instruction", "start with FROM", 1, 0},
        Broken{"ARG a\n", "no FROM", "start with FROM", 1, 0},
        Broken{"RUN a\n", "before the first FROM", "only ARG", 1, 1},
        Broken{"FROM x\nCOPY --form=a b c", "COPY has no flag --form", "did you mean --from?", 2,
               6},
        Broken{"FROM x\nCMD --serve", "CMD has no flag --serve", "exec form", 2, 5},
        Broken{"FROM x\nCOPY \\\n  --chown a b", "--chown needs a value", "--chown=VALUE", 3, 3},
        Broken{"FROM x\nCOPY --link=yes a b", "true or false", "", 2, 6},
        Broken{"FROM x\nCOPY --from=a --from=b c d", "twice", "", 2, 15},
        Broken{"FROM x\nCOPY --from=\"a b c", "never closed", "", 2, 13},
        Broken{"FROM x\nCOPY a", "a source and a destination", "", 2, 6},
        Broken{"FROM x\nRUN", "RUN needs a command", "", 2, 1},
        Broken{"FROM x\nRUN []", "RUN needs a command", "", 2, 5},
        Broken{"FROM x\nCMD [1]", "strings only", "double quotes", 2, 5},
        Broken{"FROM x y", "an image, AS and a name", "AS builder", 1, 8},
        Broken{"FROM x # y", "an image, AS and a name", "a comment needs a line of its own", 1, 8},
        Broken{"FROM x AS 1y", "no name for a stage", "a letter first", 1, 11},
        Broken{"FROM x\nENV a=b c", "no =", "quotes", 2, 9},
        Broken{"FROM x\nENV =b", "a name before", "", 2, 5},
        Broken{"FROM x\nENV a", "a name and a value", "ENV a=value", 2, 5},
        Broken{"FROM x\nENV a=\"b", "quote is never closed", "close it", 2, 7},
        Broken{"FROM x\nENV a it's", "quote is never closed", "close it", 2, 9},
        Broken{"FROM x\nRUN <<EOF\nabc\n", "heredoc EOF is never closed", "write EOF alone", 2, 5},
        Broken{"FROM x\nSHELL /bin/bash", "SHELL needs a JSON array", "[\"/bin/bash\"", 2, 7},
        Broken{"FROM x\nHEALTHCHECK curl", "NONE or CMD", "CMD curl", 2, 13},
        Broken{"FROM x\nHEALTHCHECK NONE x", "takes nothing more", "", 2, 18},
        Broken{"FROM x\nONBUILD FROM y", "ONBUILD cannot hold FROM", "", 2, 9},
        Broken{"FROM x\nONBUILD ONBUILD RUN y", "ONBUILD cannot hold ONBUILD", "", 2, 9},
        Broken{"FROM x\nONBUILD RUM y", "unknown instruction RUM", "did you mean RUN?", 2, 9},
        Broken{"FROM x\nVOLUME [\"\"]", "VOLUME needs a path", "", 2, 8}));

// What the fingerprint stands on.
TEST(CanonicalInstruction, IsSpecifiedByteForByte) {
  EXPECT_EQ(one("run a  b").canonical(), R"(RUN "a  b")");
  EXPECT_EQ(one("RUN [ \"a\" , \"b c\" ]").canonical(), R"(RUN ["a","b c"])");
  EXPECT_EQ(one("COPY --from=x --link a\tb  c").canonical(),
            R"(COPY --from="x" --link ["a","b","c"])");
  EXPECT_EQ(one("ENV a=b c=\"d e\"").canonical(), R"(ENV "a"="b" "c"="\"d e\"")");
  EXPECT_EQ(one("ENV a b c").canonical(), R"(ENV "a"="b c")");
  EXPECT_EQ(one("ARG a b=").canonical(), R"(ARG "a" "b"="")");
  EXPECT_EQ(one("WORKDIR /a b").canonical(), R"(WORKDIR "/a b")");
  EXPECT_EQ(one("HEALTHCHECK none").canonical(), "HEALTHCHECK NONE");
  EXPECT_EQ(one("healthcheck --retries=3 cmd x  y").canonical(),
            R"(HEALTHCHECK --retries="3" CMD "x  y")");
  EXPECT_EQ(one("ONBUILD run x").canonical(), R"(ONBUILD RUN "x")");
  EXPECT_EQ(one("RUN <<E cat\na\t\"\x01\xff\xc3\xa9\nE\n").canonical(),
            "RUN \"<<E cat\" <<\"a\\x09\\\"\\x01\\xff\xc3\xa9\\n\"");
  EXPECT_EQ(parse("FROM --platform=p X:1 as Y")->instructions[0].canonical(),
            R"(FROM --platform="p" "X:1" AS y)");
  EXPECT_EQ(parse("# escape=`\nFROM x\nENV a=b`")->instructions[1].canonical(), R"(ENV` "a"="b")");
}

// The table of docs/formats/dockerfile.md is true.
TEST(CanonicalInstruction, IsAsDocumented) {
  std::ifstream page(CLOCHE_SOURCE_DIR + "/docs/formats/dockerfile.md");
  int rows = 0;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    inside = line.starts_with("| written | canonical |") || (inside && line.starts_with('|'));
    const std::vector<std::string_view> parts = split(line, '`');
    const bool instruction = inside && parts.size() == 5 && parts[2] == " | ";
    if (!instruction || parts[1].starts_with("FROM")) {
      continue;
    }
    EXPECT_EQ(one(parts[1]).canonical(), parts[3]);
    ++rows;
  }
  EXPECT_EQ(rows, 7);
}

// Random words that hold no quote, no escape and no comment sign.
rc::Gen<std::string> gen_word() {
  return rc::gen::nonEmpty(rc::gen::container<std::string>(
      rc::gen::elementOf(std::string("abcxyz019$={}:/-_.&|;<>[](),"))));
}

RC_GTEST_PROP(CanonicalInstruction, IgnoresHowItIsLaidOut, ()) {
  const auto words = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(gen_word()));
  const auto crlf = *rc::gen::arbitrary<bool>();
  const std::string end = crlf ? "\r\n" : "\n";
  const auto plain_keyword = *rc::gen::element<std::string>("RUN", "CMD", "LABEL k=", "USER");
  std::string plain = plain_keyword;
  std::string laid_out = crlf ? to_lower(plain_keyword) : plain_keyword;
  bool first = true;
  for (const std::string& word : words) {
    if (plain_keyword.starts_with("LABEL") && !first) {
      break;  // one value
    }
    const bool glued = plain_keyword.starts_with("LABEL");
    plain += (glued ? "" : " ") + word;
    laid_out += (glued ? "" : " ");
    if (!glued && *rc::gen::arbitrary<bool>()) {
      laid_out += "\\" + *rc::gen::element<std::string>("", " ", "\t ") + end;
      laid_out += *rc::gen::element<std::string>("", "# c \\", "  # c") + end;
    }
    laid_out += word;
    first = false;
  }
  laid_out += *rc::gen::element<std::string>("", "  ", "\t") + end + "# comment" + end;
  Diagnostics diagnostics;
  const auto a = parse_dockerfile("FROM x\n" + plain, "a", diagnostics);
  const auto b = parse_dockerfile("# c" + end + "FROM x" + end + laid_out, "b", diagnostics);
  RC_ASSERT(a.has_value() == b.has_value());
  RC_PRE(a.has_value());
  RC_ASSERT(a->instructions.back().canonical() == b->instructions.back().canonical());
}

RC_GTEST_PROP(CanonicalInstruction, DiffersWhenACommandDiffers, ()) {
  const auto texts = *rc::gen::pair(gen_word(), gen_word());
  Diagnostics diagnostics;
  const auto a = parse_dockerfile("FROM x\nWORKDIR " + texts.first, "a", diagnostics);
  const auto b = parse_dockerfile("FROM x\nWORKDIR " + texts.second, "b", diagnostics);
  RC_PRE(a.has_value() && b.has_value());
  RC_ASSERT((a->instructions[1].canonical() == b->instructions[1].canonical()) ==
            (texts.first == texts.second));
}

TEST(StageImages, FillInArgumentsAndFollowStages) {
  const auto dockerfile = parse(
      "ARG TAG=3.12\nARG BASE=python:$TAG\nARG OPEN\n"
      "FROM $BASE AS a\nFROM a AS b\nFROM x-${OPEN}\nFROM B\nFROM nvcr.io/${TAG:-x}\nFROM "
      "${NONE}\n");
  ASSERT_TRUE(dockerfile.has_value());
  EXPECT_THAT(stage_images(*dockerfile),
              ElementsAre("python:3.12", "python:3.12", "", "python:3.12", "nvcr.io/3.12", ""));
  EXPECT_THAT(stage_images(*dockerfile, {{"OPEN", "o"}, {"TAG", "3.13"}}),
              ElementsAre("python:3.13", "python:3.13", "x-o", "python:3.13", "nvcr.io/3.13", ""));
}

// Hostile input: every shape of one MiB is answered quickly.
class HostileDockerfile : public ::testing::TestWithParam<std::string> {};

std::string repeat(std::string_view text, std::size_t total) {
  std::string out;
  while (out.size() + text.size() <= total) {
    out += text;
  }
  return out;
}

TEST_P(HostileDockerfile, IsAnsweredQuickly) {
  constexpr std::size_t kMebibyte = std::size_t{1} << 20U;
  const std::string text = "FROM x\n" + repeat(GetParam(), kMebibyte - 100);
  const auto begin = std::chrono::steady_clock::now();
  const auto dockerfile = parse(text);
  if (dockerfile.has_value()) {
    (void)stage_images(*dockerfile);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(seconds.count(), 2.0);  // a debug build on a busy machine
}

INSTANTIATE_TEST_SUITE_P(ParseDockerfile, HostileDockerfile,
                         ::testing::Values("\\\n", "RUN a\\\n", "RUN <<a\na\n", "RUN <<a ", "[",
                                           "ENV a=b ", "ENV a=b\n", "ONBUILD ", "RUN --mount=a ",
                                           "\"", "# c\n", "\n", "COPY <<a <<b <<c x\na\nb\nc\n",
                                           "\x01\xff", "FROM x AS a\nFROM a AS b\n",
                                           "RUN [\"a\",\n", "HEALTHCHECK CMD ", "a b\\\n\n"));

TEST(ParseDockerfile, RefusesWhatIsTooLarge) {
  EXPECT_THAT(broken(std::string((1U << 20U) + 1, '\n')).message, HasSubstr("1 MiB"));
  EXPECT_THAT(broken("FROM x\nRUN " + std::string(70'000, 'x')).message, HasSubstr("64 KiB"));
  EXPECT_THAT(broken("FROM x\n" + repeat("CMD\n", 200'000)).message, HasSubstr("instructions"));
}

}  // namespace
}  // namespace cloche::definition
