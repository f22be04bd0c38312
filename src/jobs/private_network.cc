#include "jobs/private_network.h"

#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "core/text.h"
#include "io/process.h"

namespace cloche::jobs {
namespace {

constexpr std::string_view kFolder = "/run/netns/";  // where ip(8) keeps names

// ip netns names: the instance's, and the one with the bridge.
std::string name_of(const std::string& id, int instance) {
  return fmt::format("cloche-{}-{}", id, instance);
}
std::string switch_of(const std::string& id) { return fmt::format("cloche-{}-switch", id); }

std::string address_of(int instance) { return fmt::format("10.231.0.{}", instance + 2); }

Status ip(std::vector<std::string> words) {
  words.insert(words.begin(), "ip");
  auto result = io::run_process({.argv = words});
  if (!result && result.error().kind == ErrorKind::kNotFound) {
    return fail(ErrorKind::kUnsupported, "several instances need the program ip for their network")
        .with_hint("install iproute2");
  }
  const io::ProcessResult ended = TRY(std::move(result));
  if (!ended.ok()) {
    return fail(ErrorKind::kUnavailable, "making the network of the instances: {}",
                printable(trim(ended.errors)));
  }
  return {};
}

Status add_instance(const std::string& id, int instance) {
  const std::string name = name_of(id, instance);
  const std::string bridge = switch_of(id);
  const std::string port = fmt::format("port{}", instance);
  TRY(ip({"netns", "add", name}));
  TRY(ip({"-n", name, "link", "set", "lo", "up"}));
  TRY(ip(
      {"-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", port, "netns", bridge}));
  TRY(ip({"-n", bridge, "link", "set", port, "master", "bridge", "up"}));
  TRY(ip({"-n", name, "addr", "add", address_of(instance) + "/24", "dev", "eth0"}));
  return ip({"-n", name, "link", "set", "eth0", "up"});
}

Status make(const std::string& id, int instances) {
  const std::string bridge = switch_of(id);
  TRY(ip({"netns", "add", bridge}));
  TRY(ip({"-n", bridge, "link", "add", "bridge", "type", "bridge"}));
  TRY(ip({"-n", bridge, "link", "set", "bridge", "up"}));
  for (int i = 0; i < instances; ++i) {
    TRY(add_instance(id, i));
  }
  return {};
}

}  // namespace

Result<PrivateNetwork> make_private_network(const std::string& id, int instances) {
  if (::geteuid() != 0) {
    return fail(ErrorKind::kUnsupported,
                "several instances need a network of their own, which only root can make")
        .with_hint("one instance with more processes: distribution.process_count_per_instance");
  }
  remove_private_network(id, instances);
  if (Status made = make(id, instances); !made) {
    remove_private_network(id, instances);
    return std::move(made).error();
  }
  PrivateNetwork out;
  for (int i = 0; i < instances; ++i) {
    out.addresses.push_back(address_of(i));
    out.paths.push_back(std::string(kFolder) + name_of(id, i));
  }
  return out;
}

void remove_private_network(const std::string& id, int instances) {
  std::vector<std::string> names = {switch_of(id)};
  names.reserve(static_cast<std::size_t>(instances) + 1);
  for (int i = 0; i < instances; ++i) {
    names.push_back(name_of(id, i));
  }
  for (const std::string& name : names) {
    std::error_code error;
    if (std::filesystem::exists(std::string(kFolder) + name, error)) {
      static_cast<void>(ip({"netns", "del", name}));
    }
  }
}

}  // namespace cloche::jobs
