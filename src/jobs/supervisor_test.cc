#include "jobs/supervisor.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/disk_files.h"
#include "io/testing.h"
#include "jobs/follower.h"
#include "jobs/log_times.h"
#include "jobs/queue.h"
#include "jobs/snapshot.h"
#include "jobs/testing.h"
#include "workspace/testing.h"

namespace cloche::jobs {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using workspace::value_of;

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class SupervisorTest : public testing::Test {
 protected:
  SupervisorTest()
      : directory_(io::test_directory()),
        workspace_(
            workspace::Workspace::open({.directory = directory_.path(), .user = "ada"}).value()),
        launcher_(directory_.path() + "/tmp"),
        book_(workspace_.run_history()) {
    setting_.machine.milli_cpus = 100'000;
    setting_.machine.boot_id = "this";
    setting_.grace = milliseconds(300);
  }

  // Enters it, as prepared.
  void submit(Job job) {
    ASSERT_TRUE(book_.add(job).has_value());
    ASSERT_VALUE(queued, book_.change(job.name(), [&](Job& one) -> Status {
      enter(one, JobStatus::kQueued, book_.now_ms());
      return {};
    }));
    ASSERT_EQ(queued.status, JobStatus::kQueued);
  }
  void claim() { ASSERT_TRUE(claim_jobs(book_, setting_.machine).has_value()); }
  Job run(Job job) {
    const std::string name = job.submission.job.name;
    submit(std::move(job));
    claim();
    return supervised(name);
  }
  Job supervised(const std::string& name) {
    // A keeper that was forked a moment ago may still hold its dead starter's lock.
    for (int i = 0; i < 1000 && !is_final(book_.get(name).value().status); ++i) {
      EXPECT_TRUE(supervise(book_, name, setting_, {}).has_value());
      ::usleep(1000);
    }
    return book_.get(name).value();
  }
  std::string log(const std::string& name, const std::string& file = "std_log.txt") {
    return content(book_.directory(name).user_logs() + "/" + file);
  }
  // Supervises in a process of its own, with its own connection.
  pid_t start_supervisor(const std::string& name) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto mine = workspace::Workspace::open({.directory = directory_.path(), .user = "ada"});
      JobBook book(mine->run_history());
      const auto done = supervise(book, name, setting_, {});
      ::_exit(done.has_value() && *done ? 0 : 1);
    }
    return child;
  }
  void wait_for(const std::string& path) {
    for (int i = 0; i < 5000 && !fs::exists(path); ++i) {
      std::this_thread::sleep_for(milliseconds(2));
    }
    ASSERT_TRUE(fs::exists(path)) << path;
  }
  // Nothing of a job that has ended is left but what its run keeps.
  void expect_clean(const std::string& name) {
    const std::string path = book_.directory(name).path();
    for (const char* gone : {"work", "state", "lib", "hosts", "reserve"}) {
      EXPECT_FALSE(fs::exists(path + "/" + gone)) << gone;
    }
    for (const auto& entry : fs::directory_iterator(directory_.path() + "/tmp")) {
      ADD_FAILURE() << entry.path();
    }
  }

  io::TemporaryDirectory directory_;
  workspace::Workspace workspace_;
  PlainLauncher launcher_;
  JobBook book_;
  SupervisorSetting setting_{.launcher = launcher_, .blobs = workspace_.blobs(), .machine = {}};
};

TEST_F(SupervisorTest, RunsACommandAndKeepsWhatItWrote) {
  Job job = command_job("one",
                        "echo hello; echo oh >&2; echo $AZUREML_RUN_ID $AZUREML_EXPERIMENT_NAME; "
                        "echo 42 > outputs/model; echo x > ${{outputs.extra}}/y; echo l > logs/l");
  job.submission.job.outputs["extra"] = {};
  const Job done = run(std::move(job));
  EXPECT_EQ(done.status, JobStatus::kCompleted) << done.run.reason;
  EXPECT_EQ(done.run.exit_code, 0);
  EXPECT_EQ(log("one"), "hello\noh\none tests\n");
  std::vector<std::string> paths;
  for (const OutputFile& file : done.run.outputs) {
    paths.push_back(file.path);
  }
  EXPECT_THAT(paths, testing::ElementsAre("logs/l", "named/extra/y", "outputs/model"));
  EXPECT_EQ(done.run.outputs[2].digest, Digest::of("42\n").to_string());
  EXPECT_GT(done.run.peak_memory_bytes, 0U);
  for (const std::int64_t began : done.run.began) {
    EXPECT_GT(began, 0);
  }
  std::vector<std::string> events;
  for (const auto& event : value_of(book_.history().events(done.row))) {
    events.push_back(event.detail);
  }
  EXPECT_THAT(events,
              testing::ElementsAre("Preparing", "Queued", "Running", "Finalizing", "Completed"));
  expect_clean("one");
}

TEST_F(SupervisorTest, TheCodeIsThereAndMayBeWrittenTo) {
  const std::string code = directory_.path() + "/src";
  fs::create_directories(code + "/outputs");
  std::ofstream(code + "/run.sh") << "cat data; echo new > data; ls outputs\n";
  std::ofstream(code + "/data") << "old\n";
  std::ofstream(code + "/outputs/brought") << "x";
  io::DiskFiles files;
  Job job = command_job("one", "sh run.sh");
  job.submission.code = take_snapshot(code, files, workspace_.blobs(), {}, {}).value().digest;
  const Job done = run(std::move(job));
  EXPECT_EQ(done.status, JobStatus::kCompleted);
  EXPECT_EQ(log("one"), "old\nbrought\n");
  EXPECT_EQ(content(code + "/data"), "old\n");
}

TEST_F(SupervisorTest, AFailureTellsStageCodeReasonAndRemedy) {
  const Job done = run(
      command_job("one", "echo \"ModuleNotFoundError: No module named 'sklearn'\" >&2; exit 3"));
  EXPECT_EQ(done.status, JobStatus::kFailed);
  EXPECT_EQ(done.run.failed_in, "Running");
  EXPECT_EQ(done.run.exit_code, 3);
  EXPECT_EQ(done.run.reason, "the command ended with exit code 3");
  EXPECT_THAT(done.run.diagnosis, testing::HasSubstr("add the package scikit-learn"));
  const Job killed = run(command_job("two", "kill -9 $$"));
  EXPECT_EQ(killed.run.exit_code, 137);
  EXPECT_EQ(killed.status, JobStatus::kFailed);
}

TEST_F(SupervisorTest, InputsAreFilledInAndGivenAsParameters) {
  Job job = command_job("one", "echo ${{inputs.lr}} $AZUREML_PARAMETER_lr; cat ${{inputs.data}}");
  const std::string data = directory_.path() + "/data.txt";
  std::ofstream(data) << "data\n";
  job.submission.job.inputs["lr"] = {
      .kind = definition::JobInput::Kind::kLiteral, .value = "0.1", .at = {}};
  job.submission.job.inputs["data"] = {
      .kind = definition::JobInput::Kind::kFile, .value = data, .at = {}};
  run(std::move(job));
  EXPECT_EQ(log("one"), "0.1 0.1\ndata\n");
}

TEST_F(SupervisorTest, APyTorchDistributionStartsARankEach) {
  Job job = command_job(
      "one",
      "echo $RANK $LOCAL_RANK $WORLD_SIZE $NODE_RANK $MASTER_ADDR; echo r$RANK > outputs/$RANK");
  job.submission.job.distribution = {.kind = definition::JobDistribution::Kind::kPyTorch,
                                     .processes_per_instance = 3};
  const Job done = run(std::move(job));
  EXPECT_EQ(done.status, JobStatus::kCompleted) << done.run.reason << log("one");
  EXPECT_EQ(log("one", "std_log_0.txt"), "0 0 3 0 127.0.0.1\n");
  EXPECT_EQ(log("one", "std_log_2.txt"), "2 2 3 0 127.0.0.1\n");
  EXPECT_EQ(done.run.outputs.size(), 3U);
}

TEST_F(SupervisorTest, ARankThatFailsEndsTheOthers) {
  Job job = command_job("one", "[ $RANK = 1 ] && exit 7; exec sleep 60");
  job.submission.job.distribution = {.kind = definition::JobDistribution::Kind::kPyTorch,
                                     .processes_per_instance = 3};
  const auto began = std::chrono::steady_clock::now();
  const Job done = run(std::move(job));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
  EXPECT_EQ(done.status, JobStatus::kFailed);
  EXPECT_EQ(done.run.exit_code, 7);
  EXPECT_THAT(log("one"), testing::HasSubstr("rank 1 ended with exit code 7"));
}

// A stand-in for OpenMPI (tests/cli/test_mpi.py has the real one): what it starts on the other
// instance, it starts as OpenMPI does.
Job mpi_job(const std::string& directory, const std::string& mpirun) {
  fs::create_directories(directory + "/bin");
  std::ofstream(directory + "/bin/mpirun") << "#!/bin/sh\n" << mpirun;
  fs::permissions(directory + "/bin/mpirun", fs::perms::owner_all);
  Job job = command_job("one", "echo $RANK $LOCAL_RANK $NODE_RANK $WORLD_SIZE");
  job.submission.job.distribution = {.kind = definition::JobDistribution::Kind::kMpi,
                                     .processes_per_instance = 1};
  job.submission.job.resources.instance_count = 2;
  job.submission.job.environment_variables["PATH"] = directory + "/bin:/usr/bin:/bin";
  return job;
}

constexpr const char* kMpirun = R"(
while [ "$1" != --host ]; do shift; done
[ "$2" = node-0:1,node-1:1 ] && [ "$3" = -np ] && [ "$4" = 2 ] || exit 9
shift 4
printf '%s\n' "$3" >"${0%/*}/rank"
$OMPI_MCA_plm_rsh_agent node-1 OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_LOCAL_RANK=0 sh "'${0%/*}/rank'" || exit
export OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_LOCAL_RANK=0
exec "$@"
)";

TEST_F(SupervisorTest, MpirunStartsRanksInTheOtherInstance) {
  const Job done = run(mpi_job(directory_.path(), kMpirun));
  EXPECT_EQ(done.status, JobStatus::kCompleted) << done.run.reason << log("one");
  EXPECT_EQ(log("one", "std_log_0.txt"), "0 0 0 2\n");
  EXPECT_EQ(log("one", "std_log_1.txt"), "1 0 1 2\n");
}

TEST_F(SupervisorTest, MpirunHearsWhatBecameOfItsCommand) {
  const Job done = run(mpi_job(directory_.path(), "$OMPI_MCA_plm_rsh_agent node-1 exit 5"));
  EXPECT_EQ(done.run.exit_code, 5) << done.run.reason << log("one");
}

TEST_F(SupervisorTest, AnMpirunThatStartsNothingElsewhereHasFailed) {
  const Job done = run(mpi_job(directory_.path(), "$OMPI_MCA_plm_rsh_agent node-2 true; exit 0"));
  EXPECT_EQ(done.status, JobStatus::kFailed);
  EXPECT_EQ(done.run.exit_code, 1);
  EXPECT_THAT(log("one"), testing::HasSubstr("node-2 is no instance of this job"));
  EXPECT_THAT(log("one"), testing::HasSubstr("started nothing on node-1"));
}

TEST_F(SupervisorTest, RanksMeetAndReduceOverASocket) {
  if (::system("python3 -c 'import socket'") != 0) {
    GTEST_SKIP() << "no python3";
  }
  // A real all-reduce: rank 0 gathers, adds and sends the sum back.
  Job job = command_job("one", R"(python3 -c '
import os, socket, time
rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
place = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
if rank == 0:
    server = socket.create_server(place)
    peers = [server.accept()[0] for _ in range(size - 1)]
    total = 1 + sum(int(peer.recv(16)) for peer in peers)
    [peer.sendall(str(total).encode()) for peer in peers]
else:
    for _ in range(200):
        try:
            peer = socket.create_connection(place); break
        except OSError:
            time.sleep(0.05)
    peer.sendall(str(rank + 1).encode())
    total = int(peer.recv(16))
print("sum", total)
')");
  job.submission.job.distribution = {.kind = definition::JobDistribution::Kind::kPyTorch,
                                     .processes_per_instance = 2};
  const Job done = run(std::move(job));
  EXPECT_EQ(done.status, JobStatus::kCompleted) << done.run.reason;
  EXPECT_EQ(log("one", "std_log_0.txt"), "sum 3\n");
  EXPECT_EQ(log("one", "std_log_1.txt"), "sum 3\n");
}

TEST_F(SupervisorTest, ATimeoutEndsTheJobAsFailed) {
  Job job = command_job("one", "echo kept > outputs/kept; exec sleep 60");
  job.submission.job.timeout_s = 1;
  const Job done = run(std::move(job));
  EXPECT_EQ(done.status, JobStatus::kFailed);
  EXPECT_TRUE(done.run.timed_out);
  EXPECT_THAT(done.run.reason, testing::HasSubstr("limits.timeout is 1"));
  EXPECT_EQ(done.run.outputs.size(), 1U);
  expect_clean("one");
}

TEST_F(SupervisorTest, ACancelIsATermThenAKill) {
  submit(command_job("one",
                     "trap 'echo told' TERM; echo up; echo > outputs/up; "
                     "while :; do sleep 0.05; done"));
  claim();
  const pid_t supervisor = start_supervisor("one");
  wait_for(book_.directory("one").outputs() + "/up");
  ASSERT_TRUE(request_cancel(book_, "one").has_value());
  int status = 0;
  ::waitpid(supervisor, &status, 0);
  EXPECT_EQ(status, 0);
  ASSERT_VALUE(done, book_.get("one"));
  EXPECT_EQ(done.status, JobStatus::kCanceled);
  EXPECT_EQ(done.run.canceled_by, "ada");
  EXPECT_THAT(log("one"), testing::HasSubstr("told"));
  expect_clean("one");
}

TEST_F(SupervisorTest, AWaitingJobIsCanceledAtOnce) {
  submit(command_job("one", "true"));
  EXPECT_EQ(request_cancel(book_, "one").value().status, JobStatus::kCanceled);
  claim();
  EXPECT_FALSE(supervise(book_, "one", setting_, {}).value());
}

TEST_F(SupervisorTest, KillNineOfTheSupervisorLosesNothing) {
  submit(command_job("one", "echo up > outputs/up; sleep 0.5; echo end; exit 5"));
  claim();
  const pid_t supervisor = start_supervisor("one");
  wait_for(book_.directory("one").outputs() + "/up");
  ::kill(supervisor, SIGKILL);
  ::waitpid(supervisor, nullptr, 0);
  EXPECT_EQ(book_.get("one").value().status, JobStatus::kRunning);
  const Job done = supervised("one");
  EXPECT_EQ(done.status, JobStatus::kFailed);
  EXPECT_EQ(done.run.exit_code, 5) << "the end was kept for the next supervisor";
  EXPECT_EQ(done.run.attempts.size(), 2U);
  EXPECT_EQ(log("one"), "end\n");
  expect_clean("one");
}

TEST_F(SupervisorTest, KillNineAtAnyMomentEndsInAnEnd) {
  for (int round = 0; round < 25; ++round) {
    const std::string name = "job" + std::to_string(round);
    submit(command_job(name, "echo x > outputs/x; sleep 0.02; echo end"));
    claim();
    const pid_t supervisor = start_supervisor(name);
    ::usleep(static_cast<useconds_t>(round) * 3000);
    ::kill(supervisor, SIGKILL);
    ::waitpid(supervisor, nullptr, 0);
    Job job = book_.get(name).value();
    if (!is_final(job.status)) {
      job = supervised(name);
    }
    ASSERT_TRUE(is_final(job.status)) << name;
    if (job.status == JobStatus::kFailed) {
      EXPECT_FALSE(job.run.reason.empty());
    } else {
      EXPECT_EQ(log(name), "end\n") << name;
    }
  }
}

TEST_F(SupervisorTest, AMachineThatWasRestartedIsTheReason) {
  submit(command_job("one", "exec sleep 60"));
  claim();
  const pid_t supervisor = start_supervisor("one");
  wait_for(book_.directory("one").user_logs() + "/std_log.txt");
  while (!book_.get("one").value().run.started) {
    ::usleep(1000);
  }
  ::kill(supervisor, SIGKILL);
  ::waitpid(supervisor, nullptr, 0);
  const std::string id = launch_id(book_.directory("one"), 0);
  ASSERT_TRUE(launcher_.signal(id, SIGKILL).has_value());
  ASSERT_TRUE(launcher_.wait(id, {}).has_value());
  ASSERT_TRUE(launcher_.remove(id).has_value());
  setting_.machine.boot_id = "the next";
  const Job done = supervised("one");
  EXPECT_EQ(done.status, JobStatus::kFailed);
  EXPECT_EQ(done.run.reason, "the machine was restarted while the job ran");
}

TEST_F(SupervisorTest, AFullDiskFailsTheJobAndKeepsWhatThereIs) {
  const auto disk = io::SmallDisk::create(std::uint64_t{8} << 20U);
  if (!disk) {
    GTEST_SKIP() << "mounting is not allowed";
  }
  auto small = workspace::Workspace::open({.directory = disk->path(), .user = "ada"});
  ASSERT_TRUE(small.has_value());
  JobBook book(small->run_history());
  Job job = command_job("one",
                        "echo first > outputs/first; head -c 20000000 /dev/zero > outputs/big || "
                        "{ echo 'No space left on device'; exit 1; }");
  ASSERT_TRUE(book.add(job).has_value());
  ASSERT_TRUE(book.change("one",
                          [&](Job& one) -> Status {
                            enter(one, JobStatus::kQueued, book.now_ms());
                            return {};
                          })
                  .has_value());
  ASSERT_TRUE(claim_jobs(book, setting_.machine).has_value());
  ASSERT_VALUE(finished, supervise(book, "one", setting_, {}));
  EXPECT_TRUE(finished);
  ASSERT_VALUE(done, book.get("one"));
  EXPECT_EQ(done.status, JobStatus::kFailed);
  EXPECT_THAT(done.run.diagnosis, testing::HasSubstr("the disk is full"));
  EXPECT_EQ(content(book.directory("one").outputs() + "/first"), "first\n");
}

// ---- following

class Collector : public FollowListener {
 public:
  Status event(const workspace::JobEvent& event) override {
    events += event.detail + " ";
    return {};
  }
  Status output(std::string_view bytes) override {
    text += bytes;
    return {};
  }
  std::string events;
  std::string text;
};

TEST_F(SupervisorTest, AFollowerSeesAllFromTheFirstByte) {
  submit(command_job("one", "for i in 1 2 3; do echo $i; sleep 0.05; done"));
  Collector early;
  std::jthread follower([&] {
    auto mine = workspace::Workspace::open({.directory = directory_.path(), .user = "g"});
    JobBook book(mine->run_history());
    const auto job = follow(book, "one", {}, early, {});
    EXPECT_TRUE(job.has_value() && job->status == JobStatus::kCompleted);
  });
  ::usleep(50'000);
  claim();
  supervised("one");
  follower.join();
  EXPECT_EQ(early.text, "1\n2\n3\n");
  EXPECT_EQ(early.events, "Preparing Queued Running Finalizing Completed ");
  Collector late;
  ASSERT_TRUE(follow(book_, "one", {}, late, {}).has_value());
  EXPECT_EQ(late.text, early.text);
  EXPECT_EQ(follow(book_, "one", {.rank = 1}, late, {}).error().kind, ErrorKind::kNotFound);
}

TEST_F(SupervisorTest, AFollowerFindsAnotherSupervisorWhenTheFirstDies) {
  submit(command_job("one", "echo up > outputs/up; sleep 0.4; echo end"));
  claim();
  const pid_t supervisor = start_supervisor("one");
  wait_for(book_.directory("one").outputs() + "/up");
  pid_t second = 0;
  Collector listener;
  FollowOptions options;
  options.revive = [&]() -> Status {
    second = second == 0 ? start_supervisor("one") : second;
    return {};
  };
  std::jthread killer([&] {
    ::usleep(50'000);
    ::kill(supervisor, SIGKILL);
    ::waitpid(supervisor, nullptr, 0);
  });
  ASSERT_VALUE(done, follow(book_, "one", options, listener, {}));
  EXPECT_EQ(done.status, JobStatus::kCompleted);
  EXPECT_EQ(listener.text, "end\n");
  ASSERT_NE(second, 0);
  ::waitpid(second, nullptr, 0);
}

TEST_F(SupervisorTest, ALogCanBeReadFromATimeOn) {
  submit(command_job("one", "echo early; sleep 0.4; echo late"));
  claim();
  supervised("one");
  const std::string times = book_.directory("one").log_times() + "/std_log.txt";
  const std::int64_t began = book_.get("one").value().run.began[2];
  Collector listener;
  ASSERT_TRUE(
      follow(book_, "one", {.since_ms = began + 300, .until_end = true}, listener, {}).has_value());
  EXPECT_EQ(listener.text, "late\n");
  EXPECT_EQ(log_offset_at(times, began - 1000), 0U);
}

}  // namespace
}  // namespace cloche::jobs
