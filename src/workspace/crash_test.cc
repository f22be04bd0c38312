// What processes do to one another, and what kill -9 does to a workspace.
#include <algorithm>
#include <csignal>
#include <iterator>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/testing.h"
#include "workspace/testing.h"

namespace cloche::workspace {
namespace {

constexpr int kProcesses = 8;

// Runs `work(i)` in processes of their own, all at once; counts those that failed.
template <class Work>
int failures_among(int count, Work work) {
  std::vector<pid_t> children;
  for (int i = 0; i < count; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::_exit(work(i) ? 0 : 1);
    }
    children.push_back(child);
  }
  int failures = 0;
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    failures += status == 0 ? 0 : 1;
  }
  return failures;
}

std::string package(int process, int number) {
  return "p" + std::to_string(process) + "=" + std::to_string(number);
}

TEST(ManyProcesses, RegisterWithoutLossGapOrDouble) {
  constexpr int kEach = 12;
  const auto directory = io::test_directory();
  const auto work = [&](int process) {
    auto workspace = Workspace::open({.directory = directory.path(), .user = "u"});
    bool good = workspace.has_value();
    for (int i = 0; good && i < kEach; ++i) {
      good = workspace->create(conda_environment("shared", {package(process, i)})).has_value() &&
             workspace->create(conda_environment("own-" + std::to_string(process), {package(0, i)}))
                 .has_value();
    }
    return good;
  };
  EXPECT_EQ(failures_among(kProcesses, work), 0);

  ASSERT_VALUE(workspace, Workspace::open({.directory = directory.path()}));
  std::set<int> numbers;
  std::set<std::string> packages;
  for (const auto& one : value_of(workspace.versions("shared", true))) {
    numbers.insert(std::stoi(one.environment.version));
    packages.insert(one.environment.definition.conda->dependencies[0].text);
  }
  EXPECT_EQ(numbers.size(), static_cast<std::size_t>(kProcesses * kEach));
  EXPECT_EQ(*numbers.begin(), 1);
  EXPECT_EQ(*numbers.rbegin(), kProcesses * kEach);
  EXPECT_EQ(packages.size(), static_cast<std::size_t>(kProcesses * kEach));
  for (int process = 0; process < kProcesses; ++process) {
    EXPECT_EQ(workspace.versions("own-" + std::to_string(process), true).value().size(),
              static_cast<std::size_t>(kEach));
  }
  EXPECT_EQ(workspace.history("shared").value().size(),
            static_cast<std::size_t>(kProcesses * kEach));
}

TEST(ManyProcesses, TheSameDefinitionIsOneVersion) {
  const auto directory = io::test_directory();
  const auto work = [&](int) {
    auto workspace = Workspace::open({.directory = directory.path(), .user = "u"});
    bool good = workspace.has_value();
    for (int i = 0; good && i < 5; ++i) {
      const auto result = workspace->create(conda_environment("same", {"python=3.11"}));
      good = result && result->entry.environment.version == "1";
    }
    return good;
  };
  EXPECT_EQ(failures_among(kProcesses, work), 0);
  ASSERT_VALUE(workspace, Workspace::open({.directory = directory.path()}));
  EXPECT_EQ(workspace.versions("same", true).value().size(), 1U);
  EXPECT_EQ(workspace.history("same").value().size(), 1U);
}

// A child that registers for ever, and says so after each: the number on the pipe is acknowledged.
pid_t start_registering(const std::string& directory, int round, int acknowledge) {
  const pid_t child = ::fork();
  if (child != 0) {
    return child;
  }
  auto workspace = Workspace::open({.directory = directory, .user = "u"});
  for (int i = 0; workspace.has_value(); ++i) {
    const auto result = workspace->create(conda_environment("train", {package(round, i)}));
    const int number = result ? std::stoi(result->entry.environment.version) : -1;
    if (::write(acknowledge, &number, sizeof number) != sizeof number || number < 0) {
      break;
    }
  }
  ::_exit(1);
}

std::vector<int> drain(int pipe) {
  std::vector<int> out;
  int number = 0;
  while (::read(pipe, &number, sizeof number) == sizeof number) {
    out.push_back(number);
  }
  return out;
}

TEST(KillNine, LeavesAWorkspaceThatOpensAndHoldsWhatWasAcknowledged) {
  const auto directory = io::test_directory();
  std::mt19937 random(20261120);  // NOLINT: the same moments each time, as far as that goes
  std::uniform_int_distribution<int> delay_us(0, 30'000);
  std::set<int> acknowledged;
  for (int round = 0; round < 40; ++round) {
    int ends[2] = {-1, -1};
    ASSERT_EQ(::pipe(ends), 0);
    // Two at once, so that one may die while the other waits for its lock.
    const pid_t first = start_registering(directory.path(), 2 * round, ends[1]);
    const pid_t second = start_registering(directory.path(), 2 * round + 1, ends[1]);
    ::close(ends[1]);
    std::vector<int> numbers;
    // Some die while they open the workspace; most when work is going on, however slow the machine.
    if (int number = 0;
        round % 4 != 3 && ::read(ends[0], &number, sizeof number) == sizeof number) {
      numbers.push_back(number);
    }
    ::usleep(static_cast<useconds_t>(delay_us(random)));
    ::kill(first, SIGKILL);
    ::usleep(static_cast<useconds_t>(delay_us(random) / 4));
    ::kill(second, SIGKILL);
    std::ranges::copy(drain(ends[0]), std::back_inserter(numbers));
    for (const int number : numbers) {
      ASSERT_GT(number, 0) << "a registration was refused in round " << round;
      EXPECT_TRUE(acknowledged.insert(number).second) << number << " was given twice";
    }
    ::close(ends[0]);
    ::waitpid(first, nullptr, 0);
    ::waitpid(second, nullptr, 0);

    ASSERT_VALUE(workspace, Workspace::open({.directory = directory.path()}));
    if (round % 8 != 7) {
      continue;
    }
    std::set<int> present;
    for (const auto& one : value_of(workspace.versions("train", true))) {
      present.insert(std::stoi(one.environment.version));
    }
    for (const int number : acknowledged) {
      EXPECT_TRUE(present.contains(number)) << number << " was acknowledged and is gone";
    }
    EXPECT_EQ(present.size(), static_cast<std::size_t>(*present.rbegin())) << "a gap";
  }
  EXPECT_GT(acknowledged.size(), 100U) << "too few to mean anything";
}

}  // namespace
}  // namespace cloche::workspace
