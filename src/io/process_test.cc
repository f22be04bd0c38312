#include "io/process.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "core/testing.h"
#include "io/testing.h"

namespace cloche::io {
namespace {

using namespace std::chrono_literals;

Command shell(const std::string& script) { return {.argv = {"/bin/sh", "-c", script}}; }

TEST(Process, GivesBothStreamsAndTheExitCode) {
  ASSERT_VALUE(result, run_process(shell("echo out; echo err >&2; exit 3")));
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.errors, "err\n");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_FALSE(result.ok());
}

TEST(Process, FeedsTheInputHoweverLarge) {
  Command command{.argv = {"cat"}};
  command.input = std::string(5'000'000, 'x') + "end";
  ASSERT_VALUE(result, run_process(command));
  EXPECT_EQ(result.output, command.input);
  EXPECT_EQ(run_process({.argv = {"cat"}})->output, "");
  command.argv = {"true"};  // reads nothing
  EXPECT_TRUE(run_process(command)->ok());
}

TEST(Process, HasTheEnvironmentAndTheDirectoryThatItIsGiven) {
  const TemporaryDirectory place = test_directory();
  Command command = shell("pwd; env | grep -c . ; echo $NAME");
  command.directory = place.path();
  command.environment = {"NAME=value", "PATH=/usr/bin:/bin"};
  ASSERT_VALUE(result, run_process(command));
  EXPECT_TRUE(result.output.starts_with(std::filesystem::canonical(place.path()).string() + "\n"));
  EXPECT_TRUE(result.output.ends_with("\nvalue\n"));
}

TEST(Process, FindsTheProgramInThePathThatItIsGiven) {
  const TemporaryDirectory place = test_directory();
  const std::string program = place.path() + "/only-here";
  std::ofstream(program) << "#!/bin/sh\necho found\n";
  Command command{.argv = {"only-here"}};
  command.environment = {"PATH=/nowhere::" + place.path()};
  EXPECT_EQ(run_process(command).error().kind, ErrorKind::kPermission);  // nobody may run it yet
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  ASSERT_VALUE(result, run_process(command));
  EXPECT_EQ(result.output, "found\n");
  command.environment = {"PATH=/nowhere"};
  EXPECT_EQ(run_process(command).error().kind, ErrorKind::kNotFound);
  command.environment = std::vector<std::string>();
  command.argv = {"true"};  // as execvp() does without a PATH
  EXPECT_TRUE(run_process(command)->ok());
}

TEST(Process, InheritsNoDescriptor) {
  ASSERT_VALUE(result, run_process({.argv = {"ls", "/proc/self/fd"}}));
  EXPECT_EQ(result.output, "0\n1\n2\n3\n");  // 3 is the directory that ls reads
}

TEST(Process, SaysWhenASignalEndedIt) {
  ASSERT_VALUE(result, run_process(shell("kill -9 $$")));
  EXPECT_EQ(result.signal, 9);
  EXPECT_EQ(result.exit_code, 137);
}

TEST(Process, ThrowsAwayWhatIsBeyondTheLimit) {
  Command command = shell("yes | head -c 1000000");
  command.output_limit_bytes = 1000;
  ASSERT_VALUE(result, run_process(command));
  EXPECT_EQ(result.output.size(), 1000U);
  EXPECT_TRUE(result.cut_off);
  EXPECT_TRUE(result.ok());
}

TEST(Process, EndsTheWholeGroupWhenTheTimeIsOver) {
  Command command = shell("sleep 60 & sleep 60; echo late");
  command.time_limit = 50ms;
  const auto before = std::chrono::steady_clock::now();
  const auto result = run_process(command);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 1500ms);
}

TEST(Process, EndsWhenStopped) {
  std::stop_source source;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(30ms);
    source.request_stop();
  });
  const auto result = run_process(shell("sleep 60"), source.get_token());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kCancelled);
}

TEST(Process, DoesNotWaitForChildrenThatKeepTheStreamsOpen) {
  const auto before = std::chrono::steady_clock::now();
  ASSERT_VALUE(result, run_process(shell("sleep 3 & echo done")));
  EXPECT_EQ(result.output, "done\n");
  EXPECT_LT(std::chrono::steady_clock::now() - before, 2s);
}

TEST(Process, SaysWhyItCannotStart) {
  const TemporaryDirectory place = test_directory();
  const auto missing = run_process({.argv = {place.path() + "/none"}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(run_process({.argv = {std::string("a\0b", 3)}}).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(run_process({.argv = {place.path()}}).error().kind, ErrorKind::kPermission);
}

}  // namespace
}  // namespace cloche::io
