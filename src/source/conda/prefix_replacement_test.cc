#include "source/conda/prefix_replacement.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"

namespace cloche::source {
namespace {

const std::string kOld = "/opt/placeholder_placehold";
const std::string kNew = "/opt/env";

std::string text(const std::string& content, const std::string& prefix = kNew) {
  return *replace_prefix(FileMode::kText, content, kOld, prefix);
}

std::string binary(const std::string& content, const std::string& prefix = kNew) {
  return *replace_prefix(FileMode::kBinary, content, kOld, prefix);
}

std::string wide(const std::string& ascii, std::size_t before, std::size_t after) {
  std::string out;
  for (const char c : ascii) {
    out += std::string(before, '\0') + c + std::string(after, '\0');
  }
  return out;
}

TEST(ReplaceText, ReplacesEveryOccurrence) {
  EXPECT_EQ(text("a=" + kOld + "/bin:" + kOld + "/lib" + kOld + "\n"),
            "a=/opt/env/bin:/opt/env/lib/opt/env\n");
  EXPECT_EQ(text(""), "");
  EXPECT_EQ(text("nothing here\n"), "nothing here\n");
  EXPECT_EQ(text(kOld, "/a/very/much/longer/prefix/than/the/placeholder/is"),
            "/a/very/much/longer/prefix/than/the/placeholder/is");
}

TEST(ReplaceText, FindsTheWideEncodings) {
  for (const auto& [before, after] : {std::pair(0, 1), {1, 0}, {0, 3}, {3, 0}}) {
    EXPECT_EQ(text("x" + wide("[" + kOld + "]", before, after) + "y"),
              "x" + wide("[" + kNew + "]", before, after) + "y");
  }
}

TEST(ReplaceText, ShortensAShebangThatTheKernelWouldNotRead) {
  const std::string deep = "/" + std::string(120, 'd');
  EXPECT_EQ(text("#!" + kOld + "/bin/python\nprint()\n"), "#!/opt/env/bin/python\nprint()\n");
  EXPECT_EQ(text("#!" + kOld + "/bin/python -E -s\nprint()\n", deep),
            "#!/usr/bin/env python -E -s\nprint()\n");
  // 127 bytes are read, 128 are not: "#!" + prefix + "/bin/sh".
  const std::string longest = "/" + std::string(127 - 2 - 7 - 1, 'd');
  EXPECT_EQ(text("#!" + kOld + "/bin/sh\n", longest), "#!" + longest + "/bin/sh\n");
  EXPECT_EQ(text("#!" + kOld + "/bin/sh\n", longest + "d"), "#!/usr/bin/env sh\n");
  EXPECT_EQ(text("#! " + kOld + "/bin/sh", longest + "d"), "#!/usr/bin/env sh");
  // Only at the file's beginning.
  EXPECT_EQ(text("\n#!" + kOld + "/bin/sh\n", deep), "\n#!" + deep + "/bin/sh\n");
  EXPECT_EQ(text("#!no slash " + kOld + "\n", deep), "#!no slash " + deep + "\n");
}

TEST(ReplaceText, ShortensAShebangWithABlankInItsDirectory) {
  EXPECT_EQ(text("#!" + kOld + "/bin/python -E\nx = '" + kOld + "'\n", "/home/me/my envs/a"),
            "#!/usr/bin/env python -E\nx = '/home/me/my envs/a'\n");
  EXPECT_EQ(text("see #!" + kOld + "/bin/sh\n", "/my envs"), "see #!/my\\ envs/bin/sh\n");
  // Without an end of line conda escapes nothing, so the path is cut at the blank.
  EXPECT_EQ(text("#!" + kOld + "/bin/python", "/my envs"), "#!/my envs/bin/python");
}

TEST(ReplaceText, ShortensTheSameLineWhereverItStands) {
  const std::string line = "#!" + kOld + "/bin/sh";
  EXPECT_EQ(text(line + "\ncat <<E\n" + line + "\nE\n", "/" + std::string(200, 'd')),
            "#!/usr/bin/env sh\ncat <<E\n#!/usr/bin/env sh\nE\n");
}

TEST(ReplaceBinary, PadsAtTheStringsEnd) {
  const std::string nul(1, '\0');
  const std::string pad(kOld.size() - kNew.size(), '\0');
  EXPECT_EQ(binary("ELF" + nul + kOld + "/lib" + nul + "rest"),
            "ELF" + nul + kNew + "/lib" + nul + pad + "rest");
  EXPECT_EQ(binary(kOld + ":" + kOld + "/b" + nul + kOld + nul),
            kNew + ":" + kNew + "/b" + nul + pad + pad + kNew + nul + pad);
}

TEST(ReplaceBinary, PadsWideStrings) {
  const std::string end16(2, '\0');
  const std::string pad(2 * (kOld.size() - kNew.size()), '\0');
  EXPECT_EQ(binary(wide("a" + kOld + "/b", 0, 1) + end16 + "x"),
            wide("a" + kNew + "/b", 0, 1) + end16 + pad + "x");
}

TEST(ReplaceBinary, LeavesAStringWithoutAnEnd) { EXPECT_EQ(binary("a" + kOld), "a" + kOld); }

TEST(ReplaceBinary, RefusesALongerPrefixOnlyWhereItIsNeeded) {
  const std::string longer = kOld + "x";
  const auto result = replace_prefix(FileMode::kBinary, kOld + std::string(1, '\0'), kOld, longer);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kInvalid);
  EXPECT_NE(result.error().message.find("27 bytes"), std::string::npos);
  EXPECT_EQ(binary("no placeholder", longer), "no placeholder");
}

// conda's algorithm as it stands in its portability.py, on whole strings.
struct Naive {
  static std::string all(std::string text, const std::string& what, const std::string& by) {
    for (std::size_t at = text.find(what); at != std::string::npos;
         at = text.find(what, at + by.size())) {
      text.replace(at, what.size(), by);
    }
    return text;
  }

  static std::string binary(const std::string& text, const std::string& what, const std::string& by,
                            std::size_t zeros) {
    const std::string end(zeros, '\0');
    std::string out;
    std::size_t from = 0;
    while (true) {
      const std::size_t at = text.find(what, from);
      const std::size_t stop = at == std::string::npos ? at : text.find(end, at + what.size());
      if (stop == std::string::npos) {
        return out + text.substr(from);
      }
      const std::string whole = text.substr(at, stop + zeros - at);
      std::string changed = all(whole, what, by);
      changed.resize(whole.size(), '\0');
      out += text.substr(from, at - from) + changed;
      from = stop + zeros;
    }
  }

  static std::string replace(FileMode mode, std::string text, const std::string& what,
                             const std::string& by) {
    struct Form {
      std::size_t before;
      std::size_t after;
    };
    for (const Form form : {Form{0, 0}, Form{0, 1}, Form{1, 0}, Form{0, 3}, Form{3, 0}}) {
      const std::string from = wide(what, form.before, form.after);
      const std::string to = wide(by, form.before, form.after);
      text = mode == FileMode::kText ? all(text, from, to)
                                     : binary(text, from, to, 1 + form.before + form.after);
    }
    return text;
  }
};

// Text in which placeholders, parts of them and NULs come up often.
rc::Gen<std::string> soup(const std::string& what) {
  const auto part = rc::gen::oneOf(
      rc::gen::just(what), rc::gen::just(wide(what, 0, 1)), rc::gen::just(wide(what, 1, 0)),
      rc::gen::just(wide(what, 0, 3)), rc::gen::just(wide(what, 3, 0)),
      rc::gen::just(what.substr(0, what.size() / 2)), rc::gen::just(what.substr(what.size() / 2)),
      rc::gen::just(std::string(1, '\0')), rc::gen::just(std::string(4, '\0')),
      rc::gen::just(std::string("/")), rc::gen::just(std::string("x\n")));
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(part),
                      [](const std::vector<std::string>& parts) {
                        std::string out;
                        for (const std::string& one : parts) {
                          out += one;
                        }
                        return out;
                      });
}

std::string in_pieces(FileMode mode, const std::string& content, const std::string& what,
                      const std::string& by, const std::vector<std::size_t>& cuts) {
  std::string out;
  PrefixReplacement replacement(mode, what, by, [&](std::string_view piece) -> Status {
    out += piece;
    return {};
  });
  std::string_view rest = content;
  for (const std::size_t cut : cuts) {
    const std::size_t count = std::min(cut, rest.size());
    EXPECT_TRUE(replacement.append(rest.substr(0, count)));
    rest.remove_prefix(count);
  }
  EXPECT_TRUE(replacement.append(rest));
  EXPECT_TRUE(replacement.finish());
  return out;
}

RC_GTEST_PROP(ReplacePrefix, AgreesWithTheNaiveModelHoweverThePiecesAreCut, ()) {
  const std::string what = *rc::gen::element(std::string("/old/one"), std::string("/a/a"));
  const std::string by = *rc::gen::element(std::string("/n"), std::string("/x/y"));
  const FileMode mode = *rc::gen::element(FileMode::kText, FileMode::kBinary);
  const std::string content = *soup(what);
  const auto cuts =
      *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, 20));
  const std::string got = in_pieces(mode, content, what, by, cuts);
  RC_ASSERT(got == Naive::replace(mode, content, what, by));
  if (mode == FileMode::kBinary) {
    RC_ASSERT(got.size() == content.size());
  }
}

TEST(ReplacePrefix, IsLinearInHostileText) {
  // Each would take minutes if every occurrence searched the rest again.
  const std::string what(64, '/');
  std::string slashes(std::size_t{4} << 20U, '/');
  slashes[slashes.size() - 1] = '\0';
  EXPECT_EQ(replace_prefix(FileMode::kBinary, slashes, what, "/")->size(), slashes.size());
  std::string nearly;
  for (int i = 0; i < 20'000; ++i) {
    nearly += std::string(63, '/') + "x/" + std::string(1, '\0');
  }
  EXPECT_EQ(*replace_prefix(FileMode::kText, nearly, what, "/"), nearly);
  std::string pieces;
  PrefixReplacement endless(FileMode::kBinary, kOld, kNew,
                            [](std::string_view) { return Status(); });
  ASSERT_TRUE(endless.append(kOld));
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(endless.append(std::string(100'000, 'x')));  // 20 MB within one string
  }
  EXPECT_TRUE(endless.finish());
}

}  // namespace
}  // namespace cloche::source
