#include "package/conda/match_spec.h"

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "package/conda/version_spec.h"

namespace cloche::conda {
namespace {

std::string printed(const std::string& text) {
  const auto spec = parse_match_spec(text);
  return spec.has_value() ? spec->to_string() : "refused: " + spec.error().to_string();
}

// Each line: specs that mean the same; the first is the canonical one.
TEST(MatchSpec, ReadsEverySpellingOfTheSameThing) {
  for (const std::vector<std::string>& same : std::initializer_list<std::vector<std::string>>{
           {"numpy", "numpy *", "numpy=*", "numpy==*", "  NumPy  ", "numpy * *", "numpy=*=*",
            "numpy # a comment", "numpy# a comment", "::numpy", "numpy[]", "numpy[version=*]"},
           // CEP 29, "Version expression parsing", the two blocks of equivalent specs
           {"pkg=1.8", "pkg =1.8", "pkg 1.8.*", "pkg 1.8.* *", "pkg=1.8.*", "pkg=1.8.*=*",
            "pkg =1.8.* *", "pkg ==1.8.* *", "pkg[version=1.8.*]", "pkg[version=\"1.8.*\"]",
            "pkg = 1.8", "pkg 1.8*", "pkg==1.8.*", "pkg[version='=1.8']", "pkg =1.8 *"},
           {"pkg==1.8", "pkg 1.8", "pkg 1.8 *", "pkg=1.8=*", "pkg==1.8=*", "pkg ==1.8 *",
            "pkg[version=1.8]", "pkg[version=\"1.8\"]", "pkg == 1.8", "pkg (1.8)"},
           // CEP 29, "Examples"
           {"foo==1.0=py27_0", "foo 1.0 py27_0", "foo=1.0=py27_0", "foo==1.0 py27_0",
            "foo ==1.0 py27_0", "foo =1.0=py27_0", "foo = 1.0 = py27_0", "foo 1.0=py27_0",
            "foo[version=1.0,build=py27_0]", "foo[build_string=py27_0 version='1.0']",
            "foo 2.0 x[version=1.0, build=py27_0]"},
           {"conda-forge::foo=1.0", "conda-forge::foo[version=1.0.*]",
            "foo[channel=conda-forge,version='1.0.*']", "conda-forge/::foo=1.0",
            "conda-forge :: foo =1.0"},
           {"conda-forge/linux-64::foo>=1.0", "conda-forge/linux-64::foo[version='>=1.0']",
            "foo[channel='conda-forge/linux-64',version=>=1.0]",
            "foo >=1.0 [subdir=linux-64,channel=conda-forge]"},
           {"foo>=1.0[subdir='linux-64']", "*/linux-64::foo>=1.0"},
           {"python=3.11", "python=3.11.*", "python 3.11.*"},
           {"numpy=1.2.*=py39*", "numpy 1.2.* py39*", "numpy =1.2 py39*", "numpy=1.2.*=py39*"},
           {"numpy>=1,<2|3.*", "numpy >=1,<2|3.*", "numpy >= 1 , < 2 | 3*", "numpy (>=1,<2)|=3",
            "numpy[version='>=1,<2|3.*']"},
           {"numpy (==1.5|==1.6),<=7", "numpy (1.5|1.6),<=7", "numpy ((1.5)|(1.6)),(<=7)"},
           {"numpy~=1.2", "numpy ~=1.2", "numpy ~= 1.2"},
           {"numpy!=1.2.*,>=1", "numpy !=1.2.*, >=1.*"},
           {"numpy 1.*.3", "numpy==1.*.3"},
           {"numpy 1.*.3*", "numpy=1.*.3"},
           {"numpy==1!2.0+local", "numpy 1!2.0+LOCAL"},
           {"numpy[version='^1\\.[23]$']", "numpy[version=\"^1\\.[23]$\"]"},
           {"numpy[version='^1\\.(2|3)$']", "numpy ^1\\.(2|3)$"},
           {"blas[build='mkl']", "blas[build=mkl]", "blas=*=mkl", "blas * mkl"},
           {"pytorch=2.0.*=*cuda*", "pytorch 2.0.* *cuda*"},
           {"numpy==1.2[build='^py3[89]_.*$']", "numpy 1.2[build='^py3[89]_.*$']"},
           {"numpy>=1.0,<2.0=py34_0", "numpy >=1.0 , < 2.0 py34_0", "numpy>=1.0,<2.0 =py34_0"},
           {"python>=3.8,<3.9", "python >= 3.8, < 3.9", "python    >=    3.8,  <    3.9"},
           {"_libgcc_mutex==0.1=main"},
           {"__glibc>=2.17", "__GLIBC >=2.17"},
           {"*[md5='0123456789abcdef0123456789abcdef']", "[md5=0123456789ABCDEF0123456789abcdef]"},
           {"py*", "PY*"},
           {"^py(thon|py)$"},
           {"foo[build_number='>=3']", "foo[build_number = '>= 3']", "foo[build_number=>=3]"},
           {"foo[build_number='3']", "foo[build_number=3]", "foo[build_number='==3']"},
           {"foo[license=\"it's\",license_family='BSD']",
            "foo[license_family=BSD, license=\"it's\"]"},
           {"foo[extras=[a]]", "foo[extras='a']", "foo[extras=a]"},
           {"foo[extras=[a,b.c]]", "foo[extras=[ 'a' , \"b.c\"]]"},
           {"foo[flags=[cuda,blas:*]]", "foo[flags=[\"cuda\", \"blas:*\"]]"},
           {"foo[extras=[a,b],when='python >=3.10']", "foo[when=\"python >=3.10\",extras=[a, b]]"},
           {"foo==1[build='a-b']", "foo 1 a-b"},
           {"defaults:ns:foo=1"},
           {"ns:foo=1"},
           {"foo=1", "foo=1[name=bar]"},
           {"https://conda.anaconda.org/conda-forge::foo",
            "https://conda.anaconda.org/conda-forge/::foo"},
           {"https://host:8080/t/tk-1/chan/noarch::foo"},
           {"foo[channel='https://h/~me/c']", "https://h/~me/c::foo"},
           {"foo[channel='conda-*']", "conda-*::foo"},
           {"conda-forge/label/dev::foo"},
           {"foo.conda=*", "foo.conda *"},
       }) {
    for (const std::string& text : same) {
      EXPECT_EQ(printed(text), same.front()) << "from " << text;
    }
  }
}

TEST(MatchSpec, TakesAnArtifactsUrlApart) {
  ASSERT_VALUE(spec, parse_match_spec("https://conda.anaconda.org/conda-forge/linux-64/"
                                      "python-3.11.10-h123456_0.conda"));
  EXPECT_EQ(spec.channel, "https://conda.anaconda.org/conda-forge");
  EXPECT_EQ(spec.subdir, "linux-64");
  EXPECT_EQ(spec.name, "python");
  EXPECT_EQ(spec.version, "==3.11.10");
  EXPECT_EQ(spec.build, "h123456_0");
  EXPECT_TRUE(spec.exact());
  EXPECT_EQ(spec.to_string(),
            "https://conda.anaconda.org/conda-forge/linux-64/python-3.11.10-h123456_0.conda");
}

TEST(MatchSpec, ReadsPathsAndHashesOfArtifacts) {
  ASSERT_VALUE(path, parse_match_spec("./pkgs/_license-1.1-py27_1.tar.bz2  # mine"));
  EXPECT_EQ(path.url, "./pkgs/_license-1.1-py27_1.tar.bz2");
  EXPECT_EQ(path.name, "_license");
  EXPECT_EQ(path.channel, "");
  ASSERT_VALUE(odd, parse_match_spec("file:///c/odd.conda"));
  EXPECT_EQ(odd.name, "*");
  EXPECT_EQ(odd.to_string(), "file:///c/odd.conda");
  ASSERT_VALUE(md5,
               parse_match_spec("https://h/c/noarch/a-1-0.conda#0123456789abcdef0123456789abcdef"));
  EXPECT_EQ(md5.brackets.at("md5"), "0123456789abcdef0123456789abcdef");
  ASSERT_VALUE(again, parse_match_spec(md5.to_string()));
  EXPECT_EQ(again, md5);
  ASSERT_VALUE(sha, parse_match_spec("a-1-0.conda#sha256:" + std::string(64, 'A')));
  EXPECT_EQ(sha.brackets.at("sha256"), std::string(64, 'a'));
}

TEST(MatchSpec, SaysWhatIsExactAndPinned) {
  struct Case {
    std::string text;
    bool exact, pinned;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"numpy", false, false},
           {"numpy>=1.2", false, false},
           {"numpy>1.2,!=1.5", false, false},
           {"numpy!=1.2", false, false},
           {"numpy=*=mkl", false, false},
           {"numpy>=1|==2", false, false},
           {"numpy=1.2", false, true},
           {"numpy 1.2.*", false, true},
           {"numpy~=1.2", false, true},
           {"numpy>=1,<2", false, true},
           {"numpy<2", false, true},
           {"numpy=1|=2", false, true},
           {"numpy==1.2", true, true},
           {"numpy 1.2", true, true},
           {"numpy=1.2=py_0", true, true},
           {"numpy[md5=0123456789abcdef0123456789abcdef]", true, true},
           {"https://h/noarch/a-1-0.conda", true, true},
       }) {
    ASSERT_VALUE(spec, parse_match_spec(one.text));
    EXPECT_EQ(spec.exact(), one.exact) << one.text;
    EXPECT_EQ(spec.pinned(), one.pinned) << one.text;
  }
}

TEST(MatchSpec, RefusesWithReasonAndMeaning) {
  struct Case {
    std::string text, message, hint;
    int column;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"", "the package spec is empty", "write a package's name, such as numpy=1.26", 1},
           {" # only a comment", "the package spec is empty",
            "write a package's name, such as numpy=1.26", 1},
           {"numpy=>1.2", "'=>' is not an operator", "did you mean numpy>=1.2?", 6},
           {"numpy=<1.2", "'=<' is not an operator", "did you mean numpy<=1.2?", 6},
           {"numpy= >1", "two operators stand side by side", "did you mean numpy>1?", 8},
           {"numpy> =1", "two operators stand side by side", "did you mean numpy>=1?", 8},
           {"numpy===1.2", "'===' is not an operator", "did you mean numpy==1.2?", 6},
           {"numpy<>1.2", "'<>' is not an operator", "did you mean numpy!=1.2?", 6},
           {"numpy~1.2", "'~' is not an operator", "did you mean numpy~=1.2?", 6},
           {"numpy >=1.2 <2", "a ',' is missing between two version constraints",
            "did you mean numpy >=1.2,<2?", 13},
           {"numpy>=1.2<2", "a ',' is missing between two version constraints",
            "did you mean numpy>=1.2,<2?", 11},
           {"numpy>=1.2,", "a version is missing after ','", "did you mean numpy>=1.2?", 11},
           {"numpy=", "a version is missing after '='", "", 6},
           {"numpy>=", "a version is missing after '>='", "", 6},
           {"numpy=1.2=", "a build string is missing after '='",
            "leave the final '=' out if every build will do", 10},
           {"numpy=1.2 py39_0", "'=' before the version and a blank before the build do not mix",
            "write numpy=1.2=py39_0 for exactly this version", 11},
           {"numpy>=*", "'*' does not go with '>='", "leave the version out if every one will do",
            8},
           {"numpy~=1.2.*", "'~=' does not go with '*'", "write the two parts: >=1.2.3,1.2.*", 8},
           {"numpy>=1.*.3", "a '*' within a version does not go with '>='", "", 8},
           {"numpy==1..2",
            "'1..2' is not a version: a segment between '.', '_', '!' and '+' is empty", "", 8},
           {"numpy==1.2@3", "'1.2@3' is not a version: '@' cannot stand in it", "", 11},
           {"numpy (1.2", "this '(' is never closed", "", 7},
           {"numpy 1.2)", "')' does not belong here", "", 10},
           {"numpy ^1.2", "a regular expression starts with '^' and ends with '$'",
            "one that has brackets goes into quotes: [version='^1[.]2$']", 7},
           {"numpy ^(?=1)$", "lookaround, back references and quotes are not allowed", "", 7},
           {"{{ local-package }}", "this is a template that was not filled in",
            "write the package's name in its place", 1},
           {"numpy={{ v }}", "this is a template that was not filled in",
            "write the package's name in its place", 7},
           {"numpy=${V}", "variables are not expanded in package specs",
            "write the value in the variable's place", 7},
           {"-r requirements.txt", "this is an option of pip, not a package",
            "put it below '- pip:'", 1},
           {"git+https://h/x.git", "conda has no packages from version control; pip has",
            "put it below '- pip:'", 1},
           {"x @ https://h/x.whl", "'name @ url' is pip's form", "put it below '- pip:'", 2},
           {"x; python_version<'3'", "markers behind ';' are pip's",
            "use a selector for platforms: a comment '# [linux]' or 'sel(linux): ...'", 2},
           {"https://h/x.whl", "a URL here names a .conda or .tar.bz2 file",
            "put it below '- pip:'", 1},
           {"https://h/chan", "a URL here names a .conda or .tar.bz2 file",
            "a package of a channel is CHANNEL_URL::NAME", 1},
           {"requests[security]", "in brackets stands KEY=VALUE",
            "extras are pip's: put name[extra] below '- pip:'", 10},
           {"numpy[verison=1]", "'verison' is not a key of a package", "did you mean version?", 7},
           {"numpy[version=1,version=2]", "'version' stands twice in the brackets", "", 17},
           {"numpy[version=1", "this '[' is never closed", "add a ']' at the end", 6},
           {"numpy[version='1]", "this ''' is never closed", "", 15},
           {"numpy[version=1][build=2]", "a spec has one pair of brackets at most",
            "join the parts with commas: [a=1,b=2]", 17},
           {"numpy[version='>=1 <2']", "a ',' is missing between two version constraints",
            "did you mean >=1,<2?", 20},
           {"numpy[md5=12]", "a hash of 32 hexadecimal digits is expected", "", 11},
           {"numpy[build_number=a]", "a build number is a number, perhaps after an operator: >=3",
            "", 20},
           {"numpy,scipy", "',' cannot stand in a package name", "write one package an item", 1},
           {"'numpy'", "''' cannot stand in a package name", "leave the quotes out", 1},
           {"./local", "'/' cannot stand in a package name",
            "a package of a channel is CHANNEL::NAME; a local project goes below '- pip:'", 1},
           {"=1.2", "the package's name is missing", "a name comes first: numpy>=1.26", 1},
           {"conda-forge::", "the package's name is missing", "a name comes first: numpy>=1.26",
            14},
           {"mkl@", "features ('name@') are gone from conda",
            "name the package that has the feature, or a build: blas=*=mkl", 4},
           {"numpy 1.2 py 3", "nothing can stand behind the build string",
            "a spec is NAME, NAME VERSION or NAME VERSION BUILD; versions are joined by ','", 14},
           {"numpy\x01", "a control character cannot stand in a package spec", "", 6},
           {"numpy\xe2\x80\x8b", "only ASCII characters can stand in a package spec",
            "it may be a typographic quote or blank from a web page", 6},
       }) {
    const auto spec = parse_match_spec(one.text);
    ASSERT_FALSE(spec.has_value()) << one.text << " gave " << spec->to_string();
    EXPECT_EQ(spec.error().kind, ErrorKind::kInvalid) << one.text;
    EXPECT_EQ(spec.error().message, one.message) << one.text;
    EXPECT_EQ(spec.error().hint, one.hint) << one.text;
    EXPECT_EQ(spec.error().at.column, one.column) << one.text;
  }
}

TEST(MatchSpec, RefusesHugeAndDeepInputAtOnce) {
  const auto start = std::chrono::steady_clock::now();
  for (const std::string& text :
       {std::string(1'000'000, 'a'), "a " + std::string(1'000'000, '('),
        "a " + std::string(4000, '('), "a[" + std::string(4000, '['), "a " + std::string(4000, ','),
        "a ^" + std::string(4000, '('), std::string(4000, '^'), std::string(4000, ':')}) {
    EXPECT_FALSE(parse_match_spec(text).has_value());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(500));
}

TEST(MatchSpec, FindsTheComment) {
  EXPECT_EQ(without_spec_comment(" numpy  # x"), "numpy");
  EXPECT_EQ(without_spec_comment("a[url='x#y'] # z"), "a[url='x#y']");
  EXPECT_EQ(without_spec_comment("https://h/a-1-0.conda#abc"), "https://h/a-1-0.conda#abc");
  EXPECT_EQ(without_spec_comment("#"), "");
}

TEST(VersionSpec, IsATreeWithAndBeforeOr) {
  ASSERT_VALUE(spec, VersionSpec::parse("(1.5|((1.6|1.7), 1.8), 1.9 |2.0)|2.1"));
  EXPECT_EQ(spec.to_string(), "==1.5|(==1.6|==1.7),==1.8,==1.9|==2.0|==2.1");
  EXPECT_EQ(spec.kind, VersionSpec::Kind::kAny);
  ASSERT_EQ(spec.parts.size(), 4U);
  EXPECT_EQ(spec.parts[1].kind, VersionSpec::Kind::kAll);
  EXPECT_FALSE(VersionSpec::parse("1.2 py39").has_value());
  EXPECT_FALSE(VersionSpec::parse("1.2=py39").has_value());
}

// Specs put together from pieces that are valid on their own.
rc::Gen<std::string> any_spec() {
  const auto clause = rc::gen::element<std::string>(
      "1.2", "=1.2", "==1.2", ">=1.2", "<2", "!=1.5", "1.2.*", "1.2*", "*", "~=1.2", "1.*.3",
      "!=1.2.*", "^1\\.2$", "1!2.0", "1.0_", "(1|2)", ">= 3.RC1");
  const auto version =
      rc::gen::map(rc::gen::pair(rc::gen::container<std::vector<std::string>>(clause),
                                 rc::gen::element<std::string>(",", "|", " , ", " | ")),
                   [](const std::pair<std::vector<std::string>, std::string>& parts) {
                     std::string out;
                     for (std::size_t i = 0; i < parts.first.size() && i < 4; ++i) {
                       out += (i == 0 ? "" : parts.second) + parts.first[i];
                     }
                     return out;
                   });
  return rc::gen::apply(
      [](const std::string& channel, const std::string& name, const std::string& constraint,
         const std::string& build, const std::string& brackets) {
        std::string out = channel + name;
        if (!constraint.empty()) {
          out += " " + constraint + build;
        }
        return out + brackets;
      },
      rc::gen::element<std::string>("", "conda-forge::", "conda-forge/linux-64::", "*/osx-64::",
                                    "https://h/c/noarch::", "c:ns:", "~/c::"),
      rc::gen::element<std::string>("numpy", "NumPy", "_x", "__cuda", "py*", "*", "a.conda"),
      version, rc::gen::element<std::string>("", " py39_0", " =py39*", " *", "=*_cpython"),
      rc::gen::element<std::string>("", "[build_number='>=3']", "[subdir=linux-64]",
                                    "[license=\"a b\", channel=x]", "[version='^1[0-9]$']",
                                    "[url=https://h/a-1-0.conda]", "[when='a >=1',extras=[x]]"));
}

RC_GTEST_PROP(MatchSpec, PrintsWhatParsesToTheSame, ()) {
  const std::string text = *any_spec();
  const auto spec = parse_match_spec(text);
  if (!spec.has_value()) {
    RC_FAIL(text + ": " + spec.error().to_string());
  }
  const auto again = parse_match_spec(spec->to_string());
  if (!again.has_value()) {
    RC_FAIL(text + " -> " + spec->to_string() + ": " + again.error().to_string());
  }
  RC_ASSERT(*again == *spec);
  RC_ASSERT(again->to_string() == spec->to_string());
}

}  // namespace
}  // namespace cloche::conda
