#include "cli/env/activation.h"

#include <array>
#include <cstdio>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cloche::cli {
namespace {

// What a shell prints.
std::string shell(const std::string& script) {
  const std::string command = "sh -c " + shell_quoted(script) + " 2>&1";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string out;
  std::array<char, 256> buffer{};
  while (pipe && std::fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) {
    out += buffer.data();
  }
  return out;
}

TEST(ShellQuoted, IsOneWordWhateverItHolds) {
  for (const char* text : {"", "a b", "it's", "'", "$(false)`false`\\\"", "a\nb", "*", "-n"}) {
    EXPECT_EQ(shell("printf %s " + shell_quoted(text)), text);
  }
}

TEST(ActivationCode, SetsAndTakesBack) {
  const std::string code =
      activation_code({.name = "train",
                       .prefix = "/place of/it's",
                       .variables = {{"A", "$HOME 'x'"}, {"no-name", "x"}, {"PATH", "/own"}},
                       .scripts = {},
                       .undo_scripts = {}});
  const std::string out = shell("PATH=/before; export PATH; A=old; unset CONDA_PREFIX\n" + code +
                                "echo \"$PATH|$CONDA_PREFIX|$CONDA_DEFAULT_ENV|$A\"\n"
                                "cloche_deactivate\n"
                                "echo \"$PATH|${CONDA_PREFIX-none}|$A\"\n");
  EXPECT_EQ(out, "/place of/it's/bin:/own|/place of/it's|train|$HOME 'x'\n/before|none|old\n");
}

TEST(ActivationCode, TakesTheFirstBackForASecond) {
  const std::string one =
      activation_code({.name = "one", .prefix = "/1", .variables = {{"A", "1"}}});
  const std::string two = activation_code({.name = "two", .prefix = "/2", .variables = {}});
  EXPECT_EQ(shell("PATH=/p; unset A\n" + one + two +
                  "echo \"$PATH ${A-none}\"; cloche_deactivate; "
                  "echo \"$PATH\""),
            "/2/bin:/p none\n/p\n");
}

}  // namespace
}  // namespace cloche::cli
