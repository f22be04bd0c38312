#include "runtime/engine.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/testing.h"
#include "io/descriptor.h"
#include "io/testing.h"
#include "runtime/cgroup.h"

namespace cloche::runtime {
namespace {

namespace fs = std::filesystem;

// Containers over the host's own files; skipped where none can run.
class EngineTest : public testing::Test {
 protected:
  void SetUp() override {
    auto found = Engine::find(cache_, {}, progress_);
    if (!found) {
      GTEST_SKIP() << found.error().to_string();
    }
    engine_.emplace(std::move(*found));
    spec_.lower = {"/"};
  }

  void shell(const std::string& script) { spec_.args = {"/bin/sh", "-c", script}; }

  Result<ExitStatus> run() {
    const io::Descriptor out(::open(output_.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600));
    spec_.out = out.get();
    spec_.err = out.get();
    return engine_->run(spec_, {});
  }
  std::string output() const {
    std::ifstream in(output_);
    std::stringstream out;
    out << in.rdbuf();
    return out.str();
  }
  // No folder, and no cgroup in any hierarchy.
  bool nothing_left() const {
    const CgroupHost host = cgroup_host();
    for (const std::string& id : ids_) {
      for (const auto& [controller, folder] : host.folders) {
        if (fs::exists(folder + "/cloche-" + id)) {
          return false;
        }
      }
    }
    return fs::is_empty(cache_ + "/containers");
  }

  io::TemporaryDirectory place_ = *io::TemporaryDirectory::create("/var/tmp");
  std::string cache_ = place_.path() + "/cache";
  std::string output_ = place_.path() + "/output";
  Progress progress_;
  std::optional<Engine> engine_;
  ContainerSpec spec_;
  std::vector<std::string> ids_;
};

TEST_F(EngineTest, RunsACommandAndTellsItsExitCode) {
  shell("echo hello; exit 7");
  ASSERT_VALUE(status, run());
  EXPECT_EQ(status.code, 7);
  EXPECT_EQ(status.signal, 0);
  EXPECT_EQ(output(), "hello\n");
  EXPECT_TRUE(nothing_left());
}

TEST_F(EngineTest, TellsTheSignal) {
  shell("kill -9 $$; sleep 1");
  ASSERT_VALUE(status, run());
  EXPECT_EQ(status.signal, SIGKILL);
  EXPECT_EQ(status.code, 137);
}

TEST_F(EngineTest, KeepsTheUpperDirectory) {
  spec_.upper = place_.path() + "/upper";
  shell("echo x > /srv/made; rm /etc/passwd");
  ASSERT_VALUE(status, run());
  EXPECT_EQ(status.code, 0);
  EXPECT_TRUE(fs::exists(spec_.upper + "/srv/made"));
  EXPECT_TRUE(fs::is_character_file(spec_.upper + "/etc/passwd"));
  EXPECT_FALSE(fs::exists(spec_.upper + ".cloche-work"));
  EXPECT_TRUE(nothing_left());
}

TEST_F(EngineTest, ADetachedOneIsFoundAgain) {
  shell("exec sleep 100");
  ASSERT_VALUE(made, engine_->start(spec_, Lifetime::kDetached, "job-1"));
  ids_.push_back(made.id());
  ASSERT_VALUE(found, engine_->open("job-1"));
  EXPECT_TRUE(found.running());
  ASSERT_TRUE(found.signal(SIGKILL).has_value());
  ASSERT_VALUE(status, found.wait());
  EXPECT_EQ(status.signal, SIGKILL);
  EXPECT_EQ(status.code, 137);
  ASSERT_TRUE(std::move(found).remove().has_value());
  EXPECT_TRUE(nothing_left());
}

TEST_F(EngineTest, IsReachedThoughItsFolderIsGone) {
  shell("exec sleep 100");
  ASSERT_VALUE(made, engine_->start(spec_, Lifetime::kDetached, "job-2"));
  fs::remove_all(cache_ + "/containers/job-2");
  EXPECT_TRUE(made.running());
  ASSERT_TRUE(made.signal(SIGKILL).has_value());
  (void)made.wait();  // how it ended may be written, or lost with the folder
  EXPECT_FALSE(made.running());
  EXPECT_TRUE(std::move(made).remove().has_value());
}

TEST_F(EngineTest, SaysWhatIsNotThere) {
  spec_.args = {"no-such-command"};
  const auto status = run();
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().kind, ErrorKind::kNotFound) << status.error().to_string();
  EXPECT_TRUE(nothing_left());
}

TEST_F(EngineTest, IsStoppedBySigtermThoughNothingHandlesIt) {
  shell("exec sleep 100");
  std::stop_source stop;
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    stop.request_stop();
  });
  const auto begin = std::chrono::steady_clock::now();
  const auto status = engine_->run(spec_, stop.get_token());
  later.join();
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().kind, ErrorKind::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(9));
  EXPECT_TRUE(nothing_left());
}

TEST_F(EngineTest, CollectsOrphans) {
  shell("(sleep 0.1 &); sleep 0.5; ps -e -o stat= | grep -c Z; :");
  ASSERT_TRUE(run().has_value());
  EXPECT_EQ(output(), "0\n");
}

}  // namespace
}  // namespace cloche::runtime
