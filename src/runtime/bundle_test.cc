#include "runtime/bundle.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::runtime {
namespace {

using testing::HasSubstr;

class Bundle : public testing::Test {
 protected:
  Bundle() {
    spec_.args = {"true"};
    place_.id = "0123456789abcdef";
    place_.root = "/root-file-system";
    place_.init = "/init";
    place_.cgroup = "/cloche-x";
    place_.cgroup_controllers = {"memory", "cpu", "pids"};
  }
  Result<Json> config() const { return bundle_config(spec_, user_, place_); }
  ErrorKind refused() const {
    const auto made = config();
    return made.has_value() ? ErrorKind::kInternal : made.error().kind;
  }
  static std::vector<std::string> texts(const Json& list) {
    std::vector<std::string> out;
    for (const Json& one : list.items()) {
      out.push_back(one.as_string());
    }
    return out;
  }
  static std::vector<std::string> targets(const Json& config) {
    std::vector<std::string> out;
    for (const Json& one : config["mounts"].items()) {
      out.push_back(one["destination"].as_string());
    }
    return out;
  }

  ContainerSpec spec_;
  ProcessUser user_;
  BundlePlace place_;
};

TEST_F(Bundle, IsSafeByDefault) {
  ASSERT_VALUE(made, config());
  EXPECT_TRUE(made["process"]["noNewPrivileges"].as_bool());
  EXPECT_TRUE(made["linux"]["seccomp"].is_object());
  const auto capabilities = texts(made["process"]["capabilities"]["bounding"]);
  EXPECT_THAT(capabilities, testing::Not(testing::Contains("CAP_SYS_ADMIN")));
  EXPECT_THAT(capabilities, testing::Not(testing::Contains("CAP_NET_RAW")));
  EXPECT_EQ(made["linux"]["resources"]["pids"]["limit"].as_integer(), 32768);
  EXPECT_FALSE(made["linux"]["resources"]["devices"].items().at(0)["allow"].as_bool());
  EXPECT_EQ(made["hostname"].as_string(), "0123456789ab");
}

TEST_F(Bundle, OfAUserHasNoCapabilities) {
  user_.uid = 1000;
  ASSERT_VALUE(made, config());
  EXPECT_TRUE(made["process"]["capabilities"]["effective"].items().empty());
  EXPECT_FALSE(made["process"]["capabilities"]["bounding"].items().empty());
}

TEST_F(Bundle, RefusesWhatIsNoCommandVariableOrPath) {
  spec_.args = {};
  EXPECT_EQ(refused(), ErrorKind::kInvalid);
  spec_.args = {std::string("a\0b", 3)};
  EXPECT_EQ(refused(), ErrorKind::kInvalid);
  spec_.args = {"true"};
  for (const char* name : {"", "A=B"}) {
    spec_.env = {{name, "x"}};
    EXPECT_EQ(refused(), ErrorKind::kInvalid);
  }
  spec_.env = {};
  for (const char* path : {"", "x", "/a/../b", "/proc/self/fd/7", "//proc", "/sys"}) {
    spec_.cwd = path;
    EXPECT_EQ(refused(), ErrorKind::kInvalid) << path;
  }
  spec_.cwd = "/";
  for (const char* target : {"/", "//", "relative", "/proc/x"}) {
    spec_.mounts = {{.source = "/tmp", .target = target}};
    EXPECT_EQ(refused(), ErrorKind::kInvalid) << target;
  }
  spec_.mounts = {{.source = "tmp", .target = "/x"}};
  EXPECT_EQ(refused(), ErrorKind::kInvalid);
}

TEST_F(Bundle, RefusesLimitsThatCannotBeImposed) {
  spec_.limits.memory_bytes = 1 << 20;
  spec_.limits.cpu_millis = 500;
  spec_.limits.pids = 7;
  ASSERT_VALUE(made, config());
  EXPECT_EQ(made["linux"]["resources"]["memory"]["limit"].as_integer(), 1 << 20);
  EXPECT_EQ(made["linux"]["resources"]["cpu"]["quota"].as_integer(), 50'000);
  EXPECT_EQ(made["linux"]["resources"]["pids"]["limit"].as_integer(), 7);
  place_.cgroup_controllers = {"memory"};
  EXPECT_THAT(config().error().message, HasSubstr("no such controller"));
  place_.cgroup = "";
  EXPECT_THAT(config().error().message, HasSubstr("no cgroup can be written"));
  EXPECT_EQ(refused(), ErrorKind::kUnsupported);
  spec_.limits = {};
  ASSERT_VALUE(unlimited, config());
  EXPECT_EQ(unlimited["linux"].find("cgroupsPath"), nullptr);
}

TEST_F(Bundle, TakesTheHostsSysWhereNoneCanBeMounted) {
  place_.in_user_namespace = true;
  place_.several_users = false;
  const auto sys_of = [](const Json& config) {
    const auto& all = config["mounts"].items();
    return std::ranges::find_if(all, [](const Json& one) { return one["destination"] == "/sys"; })
        ->find("type")
        ->as_string();
  };
  ASSERT_VALUE(host, config());
  EXPECT_EQ(sys_of(host), "none");
  EXPECT_EQ(host["linux"]["resources"].find("devices"), nullptr);
  spec_.network = Network::kNone;
  ASSERT_VALUE(none, config());
  EXPECT_EQ(sys_of(none), "sysfs");
}

TEST_F(Bundle, HomeIsTheUsersWhereNobodySaysOtherwise) {
  user_.home = "/root";
  ASSERT_VALUE(plain, config());
  EXPECT_THAT(texts(plain["process"]["env"]), testing::ElementsAre("HOME=/root"));
  place_.devices.env = {"HOME=/of/the/device"};
  ASSERT_VALUE(device, config());
  EXPECT_THAT(texts(device["process"]["env"]), testing::ElementsAre("HOME=/of/the/device"));
  place_.devices.env.clear();
  spec_.env = {{"HOME", "/of/the/image"}};
  ASSERT_VALUE(image, config());
  EXPECT_THAT(texts(image["process"]["env"]), testing::ElementsAre("HOME=/of/the/image"));
}

TEST_F(Bundle, GivesDevicesTheWayTheirSpecSays) {
  place_.devices = {.env = {"B=of the device", "NVIDIA_VISIBLE_DEVICES=void"},
                    .device_nodes = {{.path = "/dev/gpu0", .type = "c", .major = 195, .minor = 1},
                                     {.path = "/dev/disk",
                                      .type = "b",
                                      .major = 8,
                                      .minor = 2,
                                      .gid = 44,
                                      .permissions = "r"}},
                    .mounts = {{.host_path = "/usr/lib/libcuda.so.1",
                                .container_path = "/usr/lib/libcuda.so.1",
                                .options = {"ro"}}},
                    .hooks = {{.name = "createContainer",
                               .path = "/usr/bin/hook",
                               .args = {"hook", "x"},
                               .timeout_s = 5}},
                    .additional_gids = {44}};
  user_.uid = 1000;
  spec_.env = {{"A", "1"}, {"B", "of the image"}};
  spec_.mounts = {{.source = "/data", .target = "/data"}};
  ASSERT_VALUE(made, config());
  EXPECT_THAT(texts(made["process"]["env"]),
              testing::ElementsAre("A=1", "B=of the device", "NVIDIA_VISIBLE_DEVICES=void"));
  const auto& devices = made["linux"]["devices"].items();
  ASSERT_EQ(devices.size(), 2U);
  EXPECT_EQ(devices[0].dump(),
            R"({"path":"/dev/gpu0","type":"c","major":195,"minor":1,"uid":1000})");
  EXPECT_EQ(devices[1]["gid"].as_integer(), 44);
  const auto& rules = made["linux"]["resources"]["devices"].items();
  ASSERT_EQ(rules.size(), 3U);
  EXPECT_EQ(rules[1].dump(), R"({"allow":true,"type":"c","major":195,"minor":1,"access":"rwm"})");
  EXPECT_EQ(rules[2]["access"].as_string(), "r");
  EXPECT_EQ(made["hooks"].dump(),
            R"({"createContainer":[{"path":"/usr/bin/hook","args":["hook","x"],"env":["PATH=)"
            R"(/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"timeout":5}]})");
  EXPECT_EQ(made["process"]["user"]["additionalGids"].dump(), "[44]");
  const auto all = targets(made);
  const auto library = std::ranges::find(all, "/usr/lib/libcuda.so.1");
  ASSERT_NE(library, all.end());
  EXPECT_LT(library, std::ranges::find(all, "/data")) << "what the person mounts lies on top";
  const Json& mount = made["mounts"].items()[static_cast<std::size_t>(library - all.begin())];
  EXPECT_EQ(mount["options"].dump(), R"(["rbind","ro"])");
  place_.in_user_namespace = true;
  place_.several_users = false;
  ASSERT_VALUE(rootless, config());
  EXPECT_EQ(rootless["linux"]["resources"].find("devices"), nullptr);
  EXPECT_EQ(rootless["process"]["user"].find("additionalGids"), nullptr);
}

TEST_F(Bundle, RootMayPingInANetworkOfItsOwn) {
  place_.ping_groups = true;
  const auto range = [&] {
    const Json made = config().value();
    return made["linux"]["sysctl"]["net.ipv4.ping_group_range"].is_string();
  };
  EXPECT_FALSE(range()) << "the host's network is not ours to set";
  spec_.network_namespace = "/run/netns/x";
  EXPECT_TRUE(range());
  place_.in_user_namespace = true;
  EXPECT_FALSE(range()) << "somebody else's";
  spec_.network_namespace.clear();
  spec_.network = Network::kNone;
  EXPECT_TRUE(range());
  place_.ping_groups = false;
  EXPECT_FALSE(range());
}

}  // namespace
}  // namespace cloche::runtime
