#include "jobs/queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/testing.h"
#include "jobs/testing.h"
#include "workspace/testing.h"

namespace cloche::jobs {
namespace {

using testing::ElementsAre;

class QueueTest : public testing::Test {
 protected:
  QueueTest()
      : directory_(io::test_directory()),
        workspace_(
            workspace::Workspace::open({.directory = directory_.path(), .user = "ada"}).value()),
        book_(workspace_.run_history()) {
    machine_.milli_cpus = 2000;
    machine_.memory_bytes = 1000;
  }
  void add(const std::string& name, std::int64_t milli_cpus, std::int64_t memory = 0) {
    Job job = command_job(name, "true");
    job.row.milli_cpus = milli_cpus;
    job.row.memory_bytes = memory;
    ASSERT_TRUE(book_.add(job).has_value());
    set(name, JobStatus::kQueued);
  }
  void set(const std::string& name, JobStatus status) {
    ASSERT_TRUE(book_
                    .change(name,
                            [&](Job& job) -> Status {
                              enter(job, status, 1);
                              return {};
                            })
                    .has_value());
  }
  std::vector<std::string> claim() { return claim_jobs(book_, machine_).value(); }

  io::TemporaryDirectory directory_;
  workspace::Workspace workspace_;
  JobBook book_;
  Machine machine_;
};

TEST_F(QueueTest, ClaimsInOrderWhatFits) {
  add("a", 1000);
  add("b", 500);
  add("c", 1000);  // does not fit, and holds back d
  add("d", 500);
  EXPECT_THAT(claim(), ElementsAre("a", "b"));
  EXPECT_THAT(claim(), ElementsAre());
  set("a", JobStatus::kCompleted);
  EXPECT_THAT(claim(), ElementsAre("c", "d"));
}

TEST_F(QueueTest, CountsMemoryToo) {
  add("a", 100, 600);
  add("b", 100, 600);
  EXPECT_THAT(claim(), ElementsAre("a"));
}

TEST_F(QueueTest, EachJobHasGpusOfItsOwn) {
  machine_.gpus = {"nvidia.com/gpu=0", "nvidia.com/gpu=1", "nvidia.com/gpu=2"};
  for (const auto& [name, gpus] : {std::pair("a", 1), std::pair("b", 2), std::pair("c", 1)}) {
    Job job = command_job(name, "true");
    job.submission.job.resources.gpus = gpus;
    job.submission.job.resources.milli_cpus = 100;
    ASSERT_TRUE(weigh(job, machine_).has_value());
    ASSERT_TRUE(book_.add(job).has_value());
    set(name, JobStatus::kQueued);
  }
  EXPECT_THAT(claim(), ElementsAre("a", "b"));
  EXPECT_THAT(book_.get("a").value().run.gpus, ElementsAre("nvidia.com/gpu=0"));
  EXPECT_THAT(book_.get("b").value().run.gpus, ElementsAre("nvidia.com/gpu=1", "nvidia.com/gpu=2"));
  set("a", JobStatus::kCompleted);
  EXPECT_THAT(claim(), ElementsAre("c"));
  EXPECT_THAT(book_.get("c").value().run.gpus, ElementsAre("nvidia.com/gpu=0"));
}

TEST_F(QueueTest, EachIsClaimedOnceHoweverManyAsk) {
  machine_.milli_cpus = 1'000'000;
  for (int i = 0; i < 20; ++i) {
    add("job" + std::to_string(i), 1000);
  }
  std::vector<int> pipes;
  for (int i = 0; i < 6; ++i) {
    int ends[2] = {};
    ASSERT_EQ(::pipe(ends), 0);
    if (::fork() == 0) {
      auto mine = workspace::Workspace::open({.directory = directory_.path(), .user = "u"});
      JobBook book(mine->run_history());
      const auto claimed = claim_jobs(book, machine_);
      const char count = static_cast<char>(claimed ? claimed->size() : 100);
      ::_exit(::write(ends[1], &count, 1) == 1 ? 0 : 1);
    }
    ::close(ends[1]);
    pipes.push_back(ends[0]);
  }
  int total = 0;
  for (const int pipe : pipes) {
    char count = 0;
    ASSERT_EQ(::read(pipe, &count, 1), 1);
    total += count;
    ::close(pipe);
    ::wait(nullptr);
  }
  EXPECT_EQ(total, 20);
}

TEST_F(QueueTest, WeighsWhatIsAskedAndRefusesTooMuch) {
  Job job = command_job("a", "true");
  job.submission.job.distribution.processes_per_instance = 8;
  ASSERT_TRUE(weigh(job, machine_).has_value());
  EXPECT_EQ(job.row.milli_cpus, 2000) << "not more than there is";
  job.submission.job.resources.milli_cpus = 3000;
  EXPECT_THAT(weigh(job, machine_).error().message, testing::HasSubstr("this machine has 2"));
  job.submission.job.resources.milli_cpus = 0;
  job.submission.job.resources.gpus = 1;
  EXPECT_EQ(weigh(job, machine_).error().kind, ErrorKind::kInvalid);
  job.submission.job.resources.gpus = 0;
  job.submission.job.resources.memory_bytes = 2000;
  EXPECT_EQ(weigh(job, machine_).error().kind, ErrorKind::kInvalid);
}

TEST_F(QueueTest, AttendFindsWhatWasLeftBehind) {
  Job preparing = command_job("preparing", "true");
  ASSERT_TRUE(book_.add(preparing).has_value());
  Job handed = command_job("handed", "true");
  handed.run.environment.fingerprint = "f";
  ASSERT_TRUE(book_.add(handed).has_value());
  Job tried = command_job("tried", "true");
  tried.run.environment.fingerprint = "f";
  tried.run.preparers.resize(3);
  ASSERT_TRUE(book_.add(tried).has_value());
  add("waiting", 1000);
  add("orphan", 1000);
  claim();
  add("late", 1000);
  std::vector<std::string> started;
  const auto start = [&](const std::string& name) -> Status {
    started.push_back(name);
    return {};
  };
  {
    const auto charge = book_.directory("waiting").take_charge();
    ASSERT_TRUE(attend(book_, machine_, start).has_value());
  }
  EXPECT_THAT(started, testing::UnorderedElementsAre("handed", "orphan"))
      << "the other one has a supervisor";
  EXPECT_EQ(book_.get("tried").value().status, JobStatus::kFailed);
  const Job left = book_.get("preparing").value();
  EXPECT_EQ(left.status, JobStatus::kFailed);
  EXPECT_EQ(left.run.failed_in, "Preparing");
}

TEST_F(QueueTest, SupervisorsThatEndAtOnceAreNotStartedForEver) {
  for (const char* name : {"waiting", "running", "old"}) {
    add(name, 100);
  }
  claim();
  set("running", JobStatus::kRunning);
  const auto end_often = [&](const std::string& name, std::int64_t at) {
    ASSERT_TRUE(book_
                    .change(name,
                            [&](Job& job) -> Status {
                              job.run.attempts.assign(
                                  5, {.pid = 1, .host = {}, .boot_id = {}, .at = at});
                              return {};
                            })
                    .has_value());
  };
  end_often("waiting", book_.now_ms());
  end_often("running", book_.now_ms());
  end_often("old", 1);
  std::vector<std::string> started;
  ASSERT_TRUE(attend(book_, machine_, [&](const std::string& name) -> Status {
                started.push_back(name);
                return {};
              }).has_value());
  EXPECT_THAT(started, ElementsAre("old"));
  EXPECT_EQ(book_.get("waiting").value().status, JobStatus::kFailed);
  EXPECT_EQ(book_.get("running").value().status, JobStatus::kRunning);
}

TEST_F(QueueTest, JobsAreStoredAsTheyAre) {
  Job job = command_job("a", "echo \xff ${{inputs.x}}");
  job.submission.job.inputs["x"] = {
      .kind = definition::JobInput::Kind::kLiteral, .value = "\xfe", .at = {}};
  job.submission.job.outputs["y"] = {.kind = definition::JobOutput::Kind::kFile, .at = {}};
  job.submission.job.environment_variables["A"] = "b";
  job.submission.code = Digest::of("x");
  job.run.attempts.push_back({.pid = 7, .host = "h", .boot_id = "b", .at = 3});
  job.run.preparers.push_back({.pid = 6, .host = "h", .boot_id = "b", .at = 2});
  job.run.inputs.push_back({.name = "x", .digest = "sha256:1", .files = 2, .bytes = 3});
  job.submission.preparing["offline"] = "true";
  job.run.exit_code = -1;
  job.run.outputs.push_back({.path = "outputs/\xff", .size_bytes = 3, .digest = "link:x"});
  ASSERT_TRUE(book_.add(job).has_value());
  const Job again = book_.get("a").value();
  EXPECT_EQ(again.submission.job.command, job.submission.job.command);
  EXPECT_EQ(again.submission.job.inputs.at("x").value, "\xfe");
  EXPECT_EQ(again.submission.code, job.submission.code);
  EXPECT_EQ(again.run.outputs[0].path, "outputs/\xff");
  EXPECT_EQ(again.run.inputs.at(0).bytes, 3U);
  EXPECT_EQ(again.run.preparers.at(0).pid, 6);
  EXPECT_EQ(to_row(again).run, to_row(job).run);
  EXPECT_EQ(to_row(again).definition, to_row(job).definition);
}

}  // namespace
}  // namespace cloche::jobs
