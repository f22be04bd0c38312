#include "jobs/launch_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jobs/testing.h"

namespace cloche::jobs {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(HostsFile, NamesTheInstancesOfANetworkOfTheirOwn) {
  Job job = command_job("a", "true");
  job.submission.job.resources.instance_count = 2;
  const std::string text =
      hosts_file(job, "1.2.3.4 secret\n", {.addresses = {"10.231.0.2", "10.231.0.3"}});
  EXPECT_THAT(text, StartsWith("127.0.0.1 localhost\n"));
  EXPECT_THAT(text, HasSubstr("10.231.0.2 node-0\n10.231.0.3 node-1\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("secret"))) << "a host they cannot reach";
}

TEST(HostsFile, AddsToTheMachinesWhereItsNetworkIsUsed) {
  EXPECT_EQ(hosts_file(command_job("a", "true"), "127.0.0.1 localhost\n1.2.3.4 db", {}),
            "127.0.0.1 localhost\n1.2.3.4 db\n127.0.0.1 node-0\n");
}

TEST(PlanLaunches, OneAnInstanceWithItsPlaceAmongThem) {
  Job job = command_job("a", "true");
  job.submission.job.resources.instance_count = 2;
  job.submission.job.distribution = {.kind = definition::JobDistribution::Kind::kPyTorch,
                                     .processes_per_instance = 3};
  const RunDirectory directory("/w", "a");
  const auto launches = plan_launches(
      job, directory,
      {.addresses = {"10.231.0.2", "10.231.0.3"}, .networks = {"/run/netns/x", "/run/netns/y"}});
  ASSERT_EQ(launches.size(), 2U);
  EXPECT_EQ(launches[1].variables.at("WORLD_SIZE"), "6");
  EXPECT_EQ(launches[1].variables.at("NODE_RANK"), "1");
  EXPECT_EQ(launches[1].variables.at("MASTER_ADDR"), "10.231.0.2");
  EXPECT_EQ(launches[1].variables.at("AZ_BATCH_MASTER_NODE"), "10.231.0.2:6105");
  EXPECT_EQ(launches[1].hostname, "node-1");
  EXPECT_EQ(launches[1].network, "/run/netns/y");
  EXPECT_EQ(launches[1].args.at(6), "3") << "its first rank";
}

}  // namespace
}  // namespace cloche::jobs
