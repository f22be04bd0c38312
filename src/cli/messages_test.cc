#include "cli/messages.h"

#include <gtest/gtest.h>

namespace cloche::cli {
namespace {

Error broken() {
  return fail(ErrorKind::kInvalid, "unknown key '\x1b[2J'")
      .with_location({"a.yml", 3, 1}, "\x1b[2J: 1")
      .with_hint("did you mean 'name'?");
}

TEST(ErrorText, TellsPlaceReasonAndRemedyHarmlessly) {
  EXPECT_EQ(to_text(broken(), {}),
            "error: a.yml:3:1: unknown key '\\x1b[2J'\n"
            "    3 | ?[2J: 1\n"
            "      | ^\n"
            "hint: did you mean 'name'?\n");
}

TEST(ErrorText, ColoursTheWordAlone) {
  EXPECT_EQ(to_text(fail(ErrorKind::kNotFound, "no x"), {.color = true, .width = 80}),
            "\x1b[1;31merror:\x1b[0m no x\n");
}

TEST(ErrorRecord, HasEveryKey) {
  EXPECT_EQ(error_record(broken()).dump(),
            R"({"severity":"error","kind":"invalid","exit_code":3,)"
            R"("message":"unknown key '\u001b[2J'","hint":"did you mean 'name'?","file":"a.yml",)"
            R"("line":3,"column":1,"excerpt":"\u001b[2J: 1","context":[],"details":[]})");
  Error usage = fail(ErrorKind::kUsage, "m");
  usage.context = {"c"};
  EXPECT_EQ(
      error_record(usage).dump(),
      R"({"severity":"error","kind":"usage","exit_code":2,"message":"m","hint":null,)"
      R"("file":null,"line":null,"column":null,"excerpt":null,"context":["c"],"details":[]})");
}

TEST(DiagnosticText, IsOneBlockOfLines) {
  const Diagnostic warning{.severity = Severity::kWarning,
                           .rule = "unpinned-package",
                           .message = "numpy is not pinned",
                           .hint = "",
                           .at = {"a.yml", 2, 5},
                           .excerpt = ""};
  EXPECT_EQ(to_text(warning, {}), "a.yml:2:5: warning: numpy is not pinned [unpinned-package]\n");
  EXPECT_EQ(to_text(warning, {.color = true, .width = 80}),
            "a.yml:2:5: \x1b[1;33mwarning:\x1b[0m numpy is not pinned [unpinned-package]\n");
}

TEST(Render, WritesOneRecordInEachFormat) {
  Report report;
  report.data.set("name", "x").set("none", Json());
  report.text = [](const Json& data, const Style&) { return data.string_or_empty("name") + "!\n"; };
  EXPECT_EQ(render(report, "json", {}), "{\n  \"name\": \"x\",\n  \"none\": null\n}\n");
  EXPECT_EQ(render(report, "yaml", {}), "name: x\nnone: null\n");
  EXPECT_EQ(render(report, "table", {}), "x!\n");
}

}  // namespace
}  // namespace cloche::cli
