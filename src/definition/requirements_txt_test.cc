#include "definition/requirements_txt.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "core/text.h"

namespace cloche::definition {
namespace {

const std::string kHash = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";

struct Read {
  Result<PipSection> pip = PipSection();
  Diagnostics diagnostics;

  // "r numpy==1 | o --pre": the lines with the first letter of their kind.
  std::string lines() const {
    if (!pip.has_value()) {
      return pip.error().to_string();
    }
    std::string out;
    for (const PipLine& line : pip->lines) {
      const char kind = line.kind == PipLine::Kind::kRequirement  ? 'r'
                        : line.kind == PipLine::Kind::kConstraint ? 'c'
                                                                  : 'o';
      out += (out.empty() ? "" : " | ") + std::string(1, kind) + " " + line.text;
    }
    return out;
  }
  std::string rules() const {
    std::vector<std::string> names;
    for (const Diagnostic& one : diagnostics.list()) {
      names.push_back(one.rule);
    }
    return join(names, " ");
  }
};

Read read(std::string_view text, MemoryFiles files = {}, const std::string& file = "r.txt") {
  Read out;
  out.pip = parse_requirements_txt(text, file, files, out.diagnostics);
  return out;
}

TEST(RequirementsTxt, ReadsRequirementsInCanonicalForm) {
  EXPECT_EQ(read("numpy >= 1.2 , <2\nPandas[a,  b] ; python_version<'3'\n").lines(),
            "r numpy>=1.2,<2 | r Pandas[a,b]; python_version < \"3\"");
  EXPECT_EQ(read("").lines(), "");
  EXPECT_EQ(read("git+https://h/a@v1#egg=a\n./a\nhttps://h/a-1-py3-none-any.whl").lines(),
            "r git+https://h/a@v1#egg=a | r ./a | r https://h/a-1-py3-none-any.whl");
}

// pip's COMMENT_RE: a comment begins at the line's start or behind a blank.
TEST(RequirementsTxt, LeavesCommentsOut) {
  EXPECT_EQ(read("# a; b\n  # c\na # d; e # f\nb\t#g\ngit+https://h/a#egg=b\n").lines(),
            "r a | r b | r git+https://h/a#egg=b");
  EXPECT_EQ(read("a\xc2\xa0# no-break blank\n").lines(), "r a");
}

TEST(RequirementsTxt, JoinsLinesAsPipDoes) {
  EXPECT_EQ(read("a\\\n==1\\\n.5\nb").lines(), "r a==1.5 | r b");
  EXPECT_EQ(read("a \\\n# comment\nb").lines(), "r a | r b");
  EXPECT_EQ(read("a \\").lines(), "r a");
  EXPECT_EQ(
      read("a==1 \\\r\n    --hash=sha256:" + kHash + " \\\r\n    --hash sha256:" + kHash).lines(),
      "r a==1 --hash=sha256:" + kHash + " --hash=sha256:" + kHash);
  EXPECT_EQ(read("# comment \\\na").lines(), "r a");
  EXPECT_EQ(read("a\rb\x0c"
                 "c\xe2\x80\xa8"
                 "d\r\ne")
                .lines(),
            "r a | r b | r c | r d | r e");
}

TEST(RequirementsTxt, WritesOptionsInTheirLongForm) {
  const std::string many =
      "-i https://h/simple\n--index-url=https://h/x\n--extra-index-url https://e\n"
      "-f ./wheels\n--find-links='a b'\n--no-index\n--pre\n--prefer-binary\n--require-hashes\n"
      "--no-binary :all:\n--only-binary=numpy,pandas\n--trusted-host h:80\n--use-feature x\n"
      "--extra-index=https://f\n-fhttps://g";
  EXPECT_EQ(read(many).lines(),
            "o --index-url=https://h/simple | o --index-url=https://h/x | "
            "o --extra-index-url=https://e | o --find-links=./wheels | o --find-links=\"a b\" | "
            "o --no-index | o --pre | o --prefer-binary | o --require-hashes | "
            "o --no-binary=:all: | o --only-binary=numpy,pandas | o --trusted-host=h:80 | "
            "o --use-feature=x | o --extra-index-url=https://f | o --find-links=https://g");
  EXPECT_EQ(read(many).rules(), "");
  EXPECT_EQ(read("-e ./src\n-e git+https://h/a#egg=b --config-settings k=v").lines(),
            "r --editable=./src | r --editable=git+https://h/a#egg=b --config-settings=k=v");
  EXPECT_EQ(read("a --global-option=\"--x y\" --config-settings 'k=a\"b'").lines(),
            "r a --global-option=\"--x y\" --config-settings=\"k=a\\\"b\"");
}

// pip applies the options of one line in an order of its own.
TEST(RequirementsTxt, OrdersTheOptionsOfOneLineAsPipAppliesThem) {
  EXPECT_EQ(read("--extra-index-url https://e --index-url https://i").lines(),
            "o --index-url=https://i | o --extra-index-url=https://e");
  const Read twice = read("-i https://a -i https://b -f c -f d");
  EXPECT_EQ(twice.lines(), "o --index-url=https://b | o --find-links=c");
  EXPECT_EQ(twice.rules(), "pip-ignored-option pip-ignored-option");
}

TEST(RequirementsTxt, SaysWhatPipIgnores) {
  EXPECT_EQ(read("a --pre").rules(), "pip-ignored-option");
  EXPECT_EQ(read("a --pre").lines(), "r a");
  EXPECT_EQ(read("--hash=sha256:" + kHash).rules(), "pip-ignored-option");
  EXPECT_EQ(read("-e ./a ; extra=='x'").rules(), "pip-ignored-words");
  EXPECT_EQ(read("-e ./a ; extra=='x'").lines(), "r --editable=./a");
  EXPECT_EQ(read("requirements.txt").rules(), "pip-file-as-name");
  EXPECT_EQ(read("-i pypi.org/simple").rules(), "pip-index-without-scheme");
}

TEST(RequirementsTxt, KeepsVariablesAndChecksThem) {
  const Read good = read("-i https://${USER}:${TOKEN}@h/\na @ ${BASE}/a.zip\n");
  EXPECT_EQ(good.lines(), "o --index-url=https://${USER}:${TOKEN}@h/ | r a @ ${BASE}/a.zip");
  EXPECT_EQ(good.rules(), "");
  EXPECT_EQ(read("-i https://h/${user}/$X").rules(),
            "pip-variable-not-expanded pip-variable-not-expanded");
  EXPECT_EQ(read("a==${A_VERSION}").rules(), "pip-variable-in-version");
}

TEST(RequirementsTxt, WarnsOfPasswordsAndNeverRepeatsThem) {
  const Read got = read("-i https://me:secret@h/\na @ https://me:secret@h/a.zip\n");
  EXPECT_EQ(got.rules(), "pip-password-in-url pip-password-in-url");
  for (const Diagnostic& one : got.diagnostics.list()) {
    EXPECT_EQ(one.to_string().find("secret"), std::string::npos) << one.to_string();
    EXPECT_EQ(one.excerpt.find("secret"), std::string::npos);
  }
  for (const char* text :
       {"-i https://me:secret@h/ --bad", "-r https://me:secret@h/ --bad", "-i ftp://me:secret@h/",
        "--https://me:secret@h/", "-e https://me:secret@h/", "a --hash=https://me:secret@h/",
        "--trusted-host https://me:secret@h/", "--no-binary https://me:secret@h/",
        "-i 'https://me:secret@h/", "--pre=https://me:secret@h/"}) {
    const Read bad = read(text);
    ASSERT_FALSE(bad.pip.has_value()) << text;
    EXPECT_EQ(bad.lines().find("secret"), std::string::npos) << bad.lines();
    EXPECT_EQ(bad.pip.error().excerpt.find("secret"), std::string::npos);
  }
}

TEST(RequirementsTxt, PutsIncludedFilesInTheirPlace) {
  MemoryFiles files;
  files.add("env/more/b.txt", "b\n-c ../c.txt\n-f wheels\n-f elsewhere")
      .add("env/c.txt", "c<2\n-i https://i\n-r d.txt")
      .add("env/d.txt", "d")
      .add("env/more/wheels/x.whl", "");
  const Read got = read("a\n-r more/b.txt\nz", files, "env/r.txt");
  EXPECT_EQ(got.lines(),
            "r a | r b | c c<2 | o --index-url=https://i | r d | o --find-links=more/wheels | "
            "o --find-links=elsewhere | r z");
  ASSERT_TRUE(got.pip.has_value());
  EXPECT_EQ(got.pip->lines[2].at.to_string(), "env/more/../c.txt:1:1");
}

TEST(RequirementsTxt, KeepsIncludesThatItCannotRead) {
  MemoryFiles files;
  files.add("/abs.txt", "a");
  const Read got =
      read("-r https://h/r.txt\n-c /image/c.txt\n-r ${WHERE}/r.txt\n-r /abs.txt", files);
  EXPECT_EQ(got.lines(),
            "o --requirement=https://h/r.txt | o --constraint=/image/c.txt | "
            "o --requirement=${WHERE}/r.txt | r a");
  EXPECT_EQ(got.rules(), "pip-include-not-read pip-include-not-read pip-include-not-read");
}

TEST(RequirementsTxt, RefusesIncludesThatGoWrong) {
  const Read missing = read("a\n-r no.txt");
  ASSERT_FALSE(missing.pip.has_value());
  EXPECT_EQ(missing.pip.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(missing.pip.error().at.to_string(), "r.txt:2:4");
  MemoryFiles files;
  files.add("a.txt", "-r b.txt").add("b.txt", "\n-r ./a.txt").add("bad.txt", "a=1");
  const Read cycle = read("-r a.txt", files);
  ASSERT_FALSE(cycle.pip.has_value());
  EXPECT_NE(cycle.lines().find("b.txt:2:4: ./a.txt includes itself"), std::string::npos)
      << cycle.lines();
  const Read inside = read("-r bad.txt", files);
  ASSERT_FALSE(inside.pip.has_value());
  EXPECT_NE(inside.lines().find("bad.txt:1:2"), std::string::npos) << inside.lines();
  EXPECT_NE(inside.lines().find("included from r.txt:1:1"), std::string::npos) << inside.lines();
}

// Each file includes the next one twice: 2^n lines, were there no limit.
TEST(RequirementsTxt, LimitsWhatIncludesCanDo) {
  MemoryFiles files;
  for (int i = 0; i < 12; ++i) {
    const std::string next = "-r f" + std::to_string(i + 1) + "\n";
    files.add("f" + std::to_string(i), next + next);
  }
  files.add("f12", "a");
  EXPECT_NE(read("-r f0", files).lines().find("more than 500 included files"), std::string::npos);
  MemoryFiles deep;
  for (int i = 0; i < 40; ++i) {
    deep.add("f" + std::to_string(i), "-r f" + std::to_string(i + 1));
  }
  EXPECT_NE(read("-r f0", deep).lines().find("deeper than"), std::string::npos);
}

struct Bad {
  std::string text;
  const char* message;
  const char* hint;
  const char* place;
};

TEST(RequirementsTxt, RefusesWithReasonPlaceAndHint) {
  const std::vector<Bad> cases = {
      {"a\nnumpy=1.2\n", "version", "did you mean numpy==1.2?", "r.txt:2:6"},
      {"  numpy=1.2", "version", "numpy==1.2", "r.txt:1:8"},
      {"a\\\n , b", "a version, a marker", "one requirement a line", "r.txt:2:2"},
      {"'jsonpickle',", "cannot begin", "write jsonpickle", "r.txt:1:1"},
      {"--indx-url x", "unknown option --indx-url", "did you mean --index-url?", "r.txt:1:1"},
      {"a --hsh=1", "unknown option", "--hash", "r.txt:1:3"},
      {"--no=1", "ambiguous", "--no-binary", "r.txt:1:1"},
      {"--upgrade", "command line only", "leave it out", "r.txt:1:1"},
      {"--use-wheel", "no longer known", "leave it out", "r.txt:1:1"},
      {"-r", "needs a value", "", "r.txt:1:1"},
      {"--pre=1", "takes no value", "", "r.txt:1:1"},
      {"-i=https://h", "without '='", "--index-url=VALUE", "r.txt:1:3"},
      {"-f 'a", "never closed", "", "r.txt:1:4"},
      {"a --hash=md5:00", "sha256", "64", "r.txt:1:10"},
      {"a --hash=sha256:00", "64 hexadecimal digits", "cut", "r.txt:1:10"},
      {"a --config-settings x", "KEY=VALUE", "", "r.txt:1:21"},
      {"--no-binary a=b", ":all:", "one,two", "r.txt:1:13"},
      {"--trusted-host https://h/", "not a URL", "host:port", "r.txt:1:16"},
      {"-i ftp://h/", "begins with https://", "", "r.txt:1:4"},
      {"-e https://h/a.zip", "editable", "-e ./folder", "r.txt:1:4"},
      {"a ; python_version > 3", "marker variable 3", "quotes", "r.txt:1:22"},
      {"a\n\xff\n", "not valid UTF-8", "save", "r.txt:2"},
      {"# coding: klingon\n\xff", "encoding klingon", "UTF-8", "r.txt:1"},
      {std::string(70000, 'a'), "longer than", "", "r.txt:1"},
  };
  for (const Bad& bad : cases) {
    const Read got = read(bad.text);
    ASSERT_FALSE(got.pip.has_value()) << bad.text << " as " << got.lines();
    const Error& error = got.pip.error();
    EXPECT_EQ(error.kind, ErrorKind::kInvalid) << bad.text;
    EXPECT_NE(error.message.find(bad.message), std::string::npos)
        << bad.text << ": " << error.message;
    EXPECT_NE(error.hint.find(bad.hint), std::string::npos) << bad.text << ": " << error.hint;
    EXPECT_EQ(error.at.to_string(), bad.place) << bad.text;
  }
}

TEST(RequirementsTxt, RefusesImpossibleConstraints) {
  for (const char* line : {"./a", "a[b]<2", "-e ./a"}) {
    MemoryFiles files;
    files.add("c.txt", line);
    EXPECT_NE(read("-c c.txt", files).lines().find("a constraint"), std::string::npos) << line;
  }
}

TEST(RequirementsTxt, DecodesAsPythonDoes) {
  EXPECT_EQ(read("\xef\xbb\xbf"
                 "a\n")
                .lines(),
            "r a");
  EXPECT_EQ(read(std::string_view("\xff\xfe"
                                  "a\0\r\0\n\0b\0",
                                  10))
                .lines(),
            "r a | r b");
  EXPECT_EQ(read(std::string_view("\xfe\xff\0a", 4)).lines(), "r a");
  EXPECT_EQ(read("# -*- coding: latin-1 -*-\n./\xe4\n").lines(), "r ./\xc3\xa4");
  EXPECT_FALSE(read(std::string_view("\xff\xfe"
                                     "a",
                                     3))
                   .pip.has_value());
}

TEST(PipItems, AreLinesWithTheirOwnPlaces) {
  MemoryFiles files;
  files.add("env/more.txt", "b");
  Diagnostics diagnostics;
  const std::vector<PipItem> items = {
      {"a==1  # why", {"env/e.yml", 7, 7}},
      {"-r more.txt", {"env/e.yml", 8, 7}},
      {"--extra-index-url https://me:secret@h/", {"env/e.yml", 9, 7}}};
  ASSERT_VALUE(pip, parse_pip_items(items, "env/e.yml", files, diagnostics));
  ASSERT_EQ(pip.lines.size(), 3U);
  EXPECT_EQ(pip.lines[0].text, "a==1");
  EXPECT_EQ(pip.lines[0].at.to_string(), "env/e.yml:7:7");
  EXPECT_EQ(pip.lines[1].at.to_string(), "env/more.txt:1:1");
  ASSERT_EQ(diagnostics.list().size(), 1U);
  EXPECT_EQ(diagnostics.list()[0].at.to_string(), "env/e.yml:9:7");
  const auto bad = parse_pip_items({{"a=1", {"e.yml", 7, 7}}}, "e.yml", files, diagnostics);
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().at.to_string(), "e.yml:7:8");
}

TEST(WriteRequirementsTxt, ParsesToTheSameLines) {
  MemoryFiles files;
  files.add("c.txt", "x<1\ny<1").add("d.txt", "z<1");
  const Read one = read("a\n-c c.txt\n-c d.txt\n-i https://i\n-c d.txt\nb", files);
  ASSERT_TRUE(one.pip.has_value());
  EXPECT_EQ(write_requirements_txt(*one.pip),
            "a\n-c constraints.txt\n--index-url=https://i\n-c constraints-2.txt\nb\n");
  MemoryFiles written;
  for (const auto& [name, text] : write_constraint_files(*one.pip)) {
    written.add(name, text);
  }
  EXPECT_EQ(read(write_requirements_txt(*one.pip), written).lines(), one.lines());
}

TEST(RequirementsTxt, RefusesAMegabyteOfGarbageQuickly) {
  for (const std::string& piece :
       {std::string("a"), std::string("("), std::string("$a"), std::string("://a:b/"),
        std::string("${"), std::string(" -e a"), std::string(" #"), std::string("\\\n"),
        std::string("-\n"), std::string("\xff"), std::string("[a"), std::string("a;(\n"),
        std::string("--pre "), std::string("'\" ")}) {
    std::string text;
    while (text.size() < (1U << 20U)) {
      text += piece;
    }
    const Read got = read(text);
    EXPECT_LE(got.diagnostics.list().size(), 1000U);
    if (piece != "\\\n" && piece != " #") {
      EXPECT_FALSE(got.pip.has_value()) << piece;
    }
  }
}

// Pieces of lines in any order: what is taken is the same after writing and reading again.
RC_GTEST_PROP(RequirementsTxt, KeepsItsLinesThroughWriting, ()) {
  const auto pieces = *rc::gen::container<std::vector<std::string>>(
      rc::gen::elementOf(std::vector<std::string>{"a",
                                                  "b==1",
                                                  " ",
                                                  "\n",
                                                  "\\\n",
                                                  " #",
                                                  "-r",
                                                  "--pre",
                                                  " --hash=sha256:" + kHash,
                                                  " -e ",
                                                  "./x",
                                                  "'",
                                                  "\"",
                                                  "\\",
                                                  "#",
                                                  "; extra == 'x'",
                                                  "-i",
                                                  "https://h/",
                                                  "${V}",
                                                  "-f ",
                                                  "=",
                                                  "--config-settings ",
                                                  "k=v",
                                                  "\t",
                                                  "[x]",
                                                  "-",
                                                  "\n",
                                                  "--find-links=",
                                                  "--no-binary :all:",
                                                  "git+https://h/p#egg=n"}));
  std::string text;
  for (const std::string& piece : pieces) {
    text += piece;
  }
  const Read one = read(text);
  RC_CLASSIFY(one.pip.has_value(), "taken");
  if (one.pip.has_value()) {
    RC_ASSERT(read(write_requirements_txt(*one.pip)).lines() == one.lines());
  }
}

// Comments, blanks and line ends mean nothing.
RC_GTEST_PROP(RequirementsTxt, IgnoresLayout, ()) {
  const auto lines = *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(
      std::vector<std::string>{"a==1", "b [x] >=2; extra=='y'", "--pre", "-i https://h", "./p"}));
  std::string plain;
  std::string laid_out;
  for (const std::string& line : lines) {
    plain += line + "\n";
    laid_out +=
        *rc::gen::elementOf(std::vector<std::string>{"", "\n", "# c; d\r\n", "   "}) + line +
        *rc::gen::elementOf(std::vector<std::string>{"\n", "\r\n", "\t \n", " # c\n", " \\\n\n"});
  }
  RC_ASSERT(read(plain).lines() == read(laid_out).lines());
}

}  // namespace
}  // namespace cloche::definition
