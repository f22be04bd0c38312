#include "package/pypi/requirement.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/json.h"
#include "core/testing.h"
#include "core/text.h"

namespace cloche::pypi {
namespace {

TEST(NormalName, FollowsPep503) {
  EXPECT_EQ(normal_name("Foo.-_Bar"), "foo-bar");
  EXPECT_EQ(normal_name("zope.interface"), "zope-interface");
}

struct Good {
  const char* text;
  Requirement want;
  const char* printed;
};

TEST(ParseRequirement, ReadsEveryForm) {
  const std::string wheel = "https://h/torch-2.1.0%2Bcpu-cp311-cp311-linux_x86_64.whl";
  const std::vector<Good> cases = {
      {"numpy", {"numpy", {}, "", "", false, ""}, "numpy"},
      {" numpy >= 1.2 , < 2 ", {"numpy", {}, ">=1.2,<2", "", false, ""}, "numpy>=1.2,<2"},
      {"numpy (>=1.2,<2)", {"numpy", {}, ">=1.2,<2", "", false, ""}, "numpy>=1.2,<2"},
      {"a[z, b,b]==1.*", {"a", {"b", "z"}, "==1.*", "", false, ""}, "a[b,z]==1.*"},
      {"a[]", {"a", {}, "", "", false, ""}, "a"},
      {"a===weird", {"a", {}, "===weird", "", false, ""}, "a===weird"},
      {"a~=1.4.2", {"a", {}, "~=1.4.2", "", false, ""}, "a~=1.4.2"},
      {"a==${A_VERSION}", {"a", {}, "==${A_VERSION}", "", false, ""}, "a==${A_VERSION}"},
      {"a;os.name=='nt'", {"a", {}, "", "", false, "os_name == \"nt\""}, "a; os_name == \"nt\""},
      {"a @ https://h/x.zip", {"a", {}, "", "https://h/x.zip", false, ""}, "a @ https://h/x.zip"},
      {"a[b]@https://h/x.zip ; extra=='c'",
       {"a", {"b"}, "", "https://h/x.zip", false, "extra == \"c\""},
       "a[b] @ https://h/x.zip ; extra == \"c\""},
      {"a @ https://h/x.zip;extra=='c'",
       {"a", {}, "", "https://h/x.zip", false, "extra == \"c\""},
       "a @ https://h/x.zip ; extra == \"c\""},
      {"a @ https://h/x;y.zip", {"a", {}, "", "https://h/x;y.zip", false, ""}, nullptr},
      {"a @ ${BASE}/x.zip", {"a", {}, "", "${BASE}/x.zip", false, ""}, nullptr},
      {wheel.c_str(), {"torch", {}, "", wheel, true, ""}, nullptr},
      {"https://h/a/b-c-1.0.tar.gz; extra == 'x'",
       {"b-c", {}, "", "https://h/a/b-c-1.0.tar.gz", true, "extra == \"x\""},
       "https://h/a/b-c-1.0.tar.gz ; extra == \"x\""},
      {"https://github.com/a/b/archive/v1.zip",
       {"", {}, "", "https://github.com/a/b/archive/v1.zip", true, ""},
       nullptr},
      {"git+https://h/a/b@v1#egg=name[x]",
       {"name", {"x"}, "", "git+https://h/a/b@v1#egg=name", true, ""},
       nullptr},
      {"git+https://h/a#egg=n[x]&subdirectory=s",
       {"n", {"x"}, "", "git+https://h/a#egg=n[x]&subdirectory=s", true, ""},
       nullptr},
      {"git+ssh://git@h/a.git", {"", {}, "", "git+ssh://git@h/a.git", true, ""}, nullptr},
      {"./pkg[dev] ; extra=='x'",
       {"", {"dev"}, "", "./pkg", true, "extra == \"x\""},
       "./pkg[dev] ; extra == \"x\""},
      {".", {"", {}, "", ".", true, ""}, nullptr},
      {"sub/pkg", {"", {}, "", "sub/pkg", true, ""}, nullptr},
      {"my_pkg-1.0-py3-none-any.whl",
       {"my_pkg", {}, "", "my_pkg-1.0-py3-none-any.whl", true, ""},
       nullptr},
      {"${WHEELS}/my_pkg-1.0.tar.gz",
       {"my_pkg", {}, "", "${WHEELS}/my_pkg-1.0.tar.gz", true, ""},
       nullptr},
      {"file:///opt/x[a]", {"", {"a"}, "", "file:///opt/x", true, ""}, nullptr},
  };
  for (const Good& good : cases) {
    ASSERT_VALUE(got, parse_requirement(good.text));
    EXPECT_EQ(got, good.want) << good.text << " read as " << got.to_string();
    EXPECT_EQ(got.to_string(), good.printed != nullptr ? good.printed : good.text);
    EXPECT_EQ(*parse_requirement(got.to_string()), got) << good.text;
  }
}

struct Bad {
  const char* text;
  const char* message;
  const char* hint;
  int column;
};

TEST(ParseRequirement, RefusesWithReasonPlaceAndHint) {
  const std::vector<Bad> cases = {
      {"", "empty", "", 1},
      {"numpy=1.2", "version, a marker or the end", "did you mean numpy==1.2?", 6},
      {"numpy=1.2=py39_0", "version", "did you mean numpy==1.2?", 6},
      {"numpy=>1.2", "version", "did you mean numpy>=1.2?", 6},
      {"numpy[a] 1.2", "version", "did you mean numpy[a]==1.2?", 10},
      {"numpy (1.2)", "operator is missing", "numpy==VERSION", 8},
      {"numpy>=1.2<2", "comma is missing", "name>=1.2,<2", 11},
      {"numpy>=1.0.*", "no wildcard", "did you mean >=1.0?", 8},
      {"numpy==1.x", "no version", "did you mean ==1.*?", 8},
      {"numpy~=1", "two numbers", "did you mean ~=1.0?", 8},
      {"torch>=1.0+cu118", "no local version", "use ==", 8},
      {"numpy==", "missing", "name==1.2", 8},
      {"numpy=== ", "missing", "", 9},
      {"numpy pandas", "version", "one requirement a line", 7},
      {"numpy, pandas", "version", "one requirement a line", 6},
      {"'numpy',", "cannot begin", "write numpy", 1},
      {"- numpy", "cannot begin", "leave the '-' out", 1},
      {"pip install numpy", "version", "behind pip install", 5},
      {"numpy#why", "version", "blank before the '#'", 6},
      {"numpy \\", "version", "last character", 7},
      {"${NAME}==1", "cannot begin", "cannot stand for a name", 1},
      {"numpy-", "begins and ends", "", 6},
      {"numpy[a", "never closed", "", 6},
      {"numpy[a b]", "comma or ']'", "[one,two]", 9},
      {"numpy==1[extra]", "no version", "before the version", 8},
      {"numpy; python_version < 3", "unknown marker variable 3", "in quotes: \"3\"", 25},
      {"numpy; pythn_version < '3'", "unknown", "did you mean python_version?", 8},
      {"numpy; python_version = '3'", "operator", "did you mean ==?", 23},
      {"numpy; python_version < '3", "never closed", "", 25},
      {"numpy; (extra=='a' && extra=='b')", "never closed", "'and' and 'or'", 8},
      {"numpy; extra=='a' | extra=='b'", "should end", "'and' and 'or'", 19},
      {"a @ ./x", "not a path", "path alone", 5},
      {"a @", "missing", "https", 4},
      {"a @ https://h/x y", "blank", "marker", 17},
      {"https://h/x.whl", "no name of a wheel", "name-version", 11},
      {"https://h/a-1.zip[b]", "before it", "name[extra] @ URL", 18},
      {"https://", "nothing", "", 1},
      {"https:///x", "no host", "https://host", 1},
      {"git://h/x", "no URLs that begin", "git+https://", 1},
      {"git@github.com:a/b.git", "is none", "git+ssh://", 5},
      {"https://h/x\"y", "cannot hold '\"'", "percent", 12},
      {"git+https://h/a#egg=-b", "#egg=", "egg=name", 21},
  };
  for (const Bad& bad : cases) {
    const Result<Requirement> got = parse_requirement(bad.text);
    ASSERT_FALSE(got.has_value()) << bad.text << " as " << got->to_string();
    const Error& error = got.error();
    EXPECT_EQ(error.kind, ErrorKind::kInvalid) << bad.text;
    EXPECT_NE(error.message.find(bad.message), std::string::npos)
        << bad.text << ": " << error.message;
    EXPECT_NE(error.hint.find(bad.hint), std::string::npos) << bad.text << ": " << error.hint;
    EXPECT_EQ(error.at.column, bad.column) << bad.text;
  }
}

TEST(ParseRequirement, NeverRepeatsAPassword) {
  for (const char* text :
       {"a @ https://me:secret@h/ x", "https://me:secret@h/x y", "a==1 https://me:secret@h/",
        "foo://me:secret@h/", "https://me:secret@h/x.whl", "-e https://me:secret@h/",
        "a=https://me:secret@h/", "a==https://me:secret@h/"}) {
    const Result<Requirement> got = parse_requirement(text);
    ASSERT_FALSE(got.has_value()) << text;
    EXPECT_EQ(got.error().to_string().find("secret"), std::string::npos) << got.error().to_string();
    EXPECT_EQ(got.error().excerpt.find("secret"), std::string::npos);
  }
}

TEST(ParseEditable, TakesPathsAndVersionControl) {
  for (const char* text : {".", "./src", "src", "../a[dev]", "git+https://h/a@v1#egg=b",
                           "file:///a", "name @ git+https://h/a", "hg+https://h/a#egg=b[c]"}) {
    ASSERT_VALUE(got, parse_editable(text));
    EXPECT_EQ(got.to_string(), text);
  }
  const Result<Requirement> got = parse_editable("https://h/a.whl");
  ASSERT_FALSE(got.has_value());
  EXPECT_NE(got.error().message.find("editable"), std::string::npos);
  EXPECT_FALSE(parse_editable("git://h/a").has_value());
}

TEST(Requirement, KnowsWhatIsPinned) {
  struct Case {
    const char* text;
    bool exact;
    bool pinned;
  };
  for (const Case& one : std::vector<Case>{
           {"a", false, false},
           {"a>=1", false, false},
           {"a!=1", false, false},
           {"a==1.2", true, true},
           {"a===x", true, true},
           {"a==1.*", false, true},
           {"a~=1.2", false, true},
           {"a>=1,<2", false, true},
           {"a @ https://h/a.zip", false, true},
           {"a @ https://h/a.zip#sha256=00", true, true},
           {"git+https://h/a@v1", false, true},
           {"git+https://h/a@0123456789012345678901234567890123456789#egg=a", true, true}}) {
    ASSERT_VALUE(got, parse_requirement(one.text));
    EXPECT_EQ(got.exact(), one.exact) << one.text;
    EXPECT_EQ(got.pinned(), one.pinned) << one.text;
  }
}

TEST(ParseRequirement, RefusesHugeInputQuickly) {
  EXPECT_FALSE(parse_requirement(std::string(1U << 20U, '(')).has_value());
  EXPECT_FALSE(parse_requirement("a;" + std::string(10000, '(')).has_value());
  EXPECT_FALSE(parse_requirement("a @ x:" + std::string(16000, ';')).has_value());
}

// Pieces of requirements in any order: what is taken survives printing.
RC_GTEST_PROP(Requirement, ParsesWhatItPrints, ()) {
  const auto pieces = *rc::gen::container<std::vector<std::string>>(
      rc::gen::elementOf(std::vector<std::string>{"a",
                                                  "b-1.zip",
                                                  " ",
                                                  "[x,y]",
                                                  "[",
                                                  "]",
                                                  ">=1",
                                                  "==2.*",
                                                  ",",
                                                  "(",
                                                  ")",
                                                  "; ",
                                                  "extra == 'x'",
                                                  " and ",
                                                  " @ ",
                                                  "https://h/p",
                                                  "git+ssh://git@h/p",
                                                  "#egg=n",
                                                  "&x=",
                                                  "./",
                                                  "/",
                                                  "${V}",
                                                  "file:",
                                                  "${",
                                                  "@",
                                                  "#sha256=0"}));
  std::string text;
  for (const std::string& piece : pieces) {
    text += piece;
  }
  const Result<Requirement> one = parse_requirement(text);
  if (one.has_value()) {
    const Result<Requirement> again = parse_requirement(one->to_string());
    RC_ASSERT(again.has_value());
    RC_ASSERT(*again == *one);
  }
  const Result<Requirement> editable = parse_editable(text);
  if (editable.has_value()) {
    const Result<Requirement> again = parse_editable(editable->to_string());
    RC_ASSERT(again.has_value());
    RC_ASSERT(*again == *editable);
  }
}

// What is a requirement, and what its parts are, against `packaging`.
TEST(Requirement, AgreesWithPackaging) {
  const std::vector<std::vector<std::string>> columns = {
      {"a", "B.c_d-e", "1a", "-a", "a."},
      {"", " ", "\t"},
      {"", "", "[x]", "[y , x]", "[]", "[x", "[-]"},
      {"", " "},
      {"",
       "==1",
       ">= 1.0rc1 ,!=2",
       "(~=1.4, <2)",
       "()",
       "==1.*",
       ">1.*",
       "~=1",
       "=1",
       "===q;",
       "<1+l",
       "==1+l.2",
       "==1,",
       "1",
       "(==1",
       "==1.dev1.*",
       "!=1a1.*",
       "@ https://h/p",
       "@https://h/p ",
       "@ h"},
      {"", " "},
      {"", "", ";os_name=='x'", "; python_version<'3' and (extra=='a' or 'b' in os.name)",
       "; ((sys_platform not in \"z\"))", ";", "; os_name", "; os_name=='x' and", "; bogus=='1'",
       "; python_implementation === 'a' or'b'<'c'", "; os_name notin 'x'",
       "; os_name not  in 'x'"}};
  const auto text_of = rc::gen::exec([&] {
    std::string out;
    for (const auto& column : columns) {
      out += *rc::gen::elementOf(column);
    }
    return out;
  });
  Json texts = Json::array();
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    texts.push(text_of(rc::Random(seed), 0).value());
  }
  const auto output = python_output(R"(
import json, sys
from packaging.requirements import Requirement
def parts(text):
    try: r = Requirement(text)
    except Exception: return None
    return [r.name, sorted(r.extras), sorted(str(s) for s in r.specifier), r.url or '',
            str(r.marker or '')]
print(json.dumps([parts(t) for t in json.load(sys.stdin)]))
)",
                                    texts.dump());
  if (!output) {
    GTEST_SKIP() << "no packaging library on this machine";
  }
  ASSERT_VALUE(answers, parse_json(*output));
  int taken = 0;
  for (std::size_t i = 0; i < texts.items().size(); ++i) {
    const std::string& text = texts.items()[i].as_string();
    const auto got = parse_requirement(text);
    const Json& want = answers.items()[i];
    // pip's own additions: "name @ URL;marker" without a blank, and a ';' with nothing behind it.
    const bool pips_own =
        text.find("https://h/p;") != std::string::npos || trim(text).ends_with(';');
    if (pips_own) {
      continue;
    }
    ASSERT_EQ(got.has_value(), !want.is_null())
        << text << ": " << (got.has_value() ? got->to_string() : got.error().to_string());
    if (!got.has_value()) {
      continue;
    }
    ++taken;
    Json extras = Json::array();
    for (const std::string& extra : got->extras) {
      extras.push(extra);
    }
    std::vector<std::string> clauses;
    for (const std::string_view clause : split(got->specifier, ',')) {
      clauses.emplace_back(clause);
    }
    std::ranges::sort(clauses);
    Json specifier = Json::array();
    for (const std::string& clause : clauses) {
      if (!clause.empty()) {
        specifier.push(clause);
      }
    }
    Json parts = Json::array();
    parts.push(got->name).push(extras).push(specifier).push(got->url).push(got->marker);
    EXPECT_EQ(parts.dump(), want.dump()) << text;
  }
  EXPECT_GT(taken, 300);
}

}  // namespace
}  // namespace cloche::pypi
