// dpkg and apt-get as judges, where they are installed and the machine's apt has lists. Nothing of
// the machine's own state is used or changed: apt gets a state directory of the test's.
#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "core/testing.h"
#include "core/text.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/process.h"
#include "io/testing.h"
#include "io/thread_pool.h"
#include "package/debian/paragraph.h"
#include "package/debian/version.h"
#include "source/debian/solve.h"

namespace cloche::source {
namespace {

constexpr std::size_t kMaxPackagesBytes = std::size_t{256} << 20U;

std::optional<std::string> output_of(const std::vector<std::string>& argv,
                                     const std::string& input = "") {
  io::Command command;
  command.argv = argv;
  command.input = input;
  command.output_limit_bytes = kMaxPackagesBytes;
  const auto result = io::run_process(command);
  return result && result->ok() ? std::optional(result->output) : std::nullopt;
}

// The Packages files that apt has fetched, main archive first.
std::vector<std::pair<std::string, std::string>> apt_lists() {
  std::vector<std::pair<std::string, std::string>> out;
  const auto entries = io::DiskFiles().list("/var/lib/apt/lists");
  if (!entries) {
    return out;
  }
  for (const FileEntry& entry : *entries) {
    if (entry.name.contains("_main_binary-amd64_Packages")) {
      const std::string path = "/var/lib/apt/lists/" + entry.name;
      if (const auto text = output_of({"/usr/lib/apt/apt-helper", "cat-file", path})) {
        out.emplace_back(entry.name, *text);
      }
    }
  }
  // In the order of sources.list, as Debian's own is: the release, its updates, its security.
  const auto rank = [](const std::string& name) {
    return name.contains("-security") ? 2 : name.contains("-updates") ? 1 : 0;
  };
  std::ranges::stable_sort(out, {}, [&](const auto& one) { return rank(one.first); });
  return out;
}

// All pairs of a sample of the versions that there are.
TEST(DpkgJudge, OrdersVersionsTheSame) {
  const auto lists = apt_lists();
  if (lists.empty() || !output_of({"dpkg", "--version"})) {
    GTEST_SKIP() << "no dpkg, or apt has no lists here";
  }
  std::vector<std::string> versions = {"0",   "0~",     "1.0~rc1-1", "1.0-1",
                                       "1:0", "1.0+b1", "1.0a",      "00"};
  std::size_t count = 0;
  for (const std::string_view line : split_lines(lists[0].second)) {
    constexpr std::string_view kField = "Version: ";
    if (line.starts_with(kField) && ++count % 6000 == 0) {
      versions.emplace_back(line.substr(kField.size()));
    }
  }
  // One shell runs all comparisons: a process each would take minutes.
  std::string script;
  for (const std::string& a : versions) {
    for (const std::string& b : versions) {
      script += fmt::format("dpkg --compare-versions '{}' lt '{}' && echo lt || echo ge\n", a, b);
    }
  }
  const auto answers = output_of({"sh"}, script);
  ASSERT_TRUE(answers.has_value());
  const auto lines = split_lines(*answers);
  ASSERT_EQ(lines.size(), versions.size() * versions.size());
  std::size_t at = 0;
  for (const std::string& a : versions) {
    for (const std::string& b : versions) {
      EXPECT_EQ(debian::compare_versions(a, b) < 0, lines[at++] == "lt") << a << " " << b;
    }
  }
}

class AptJudge : public ::testing::Test {
 protected:
  void SetUp() override {
    for (auto& [name, text] : apt_lists()) {
      auto bytes = make_package_index(text);
      ASSERT_TRUE(bytes.has_value()) << bytes.error().to_string();
      PackageSource source;
      source.index = std::move(*PackageIndex::from_bytes(std::move(*bytes)));
      sources_.push_back(std::move(source));
    }
    if (sources_.empty() || !output_of({"apt-get", "--version"})) {
      GTEST_SKIP() << "no apt-get, or it has no lists here";
    }
  }

  std::string solve(const DebianRequest& request, const PackageIndex* installed) {
    PackageUniverse universe(sources_, installed, {});
    DebianProvider provider(universe);
    const auto outcome = source::solve(provider, request);
    if (!outcome || !std::holds_alternative<DebianSolution>(*outcome)) {
      return "none";
    }
    std::set<std::string> out;
    const auto& solution = std::get<DebianSolution>(*outcome);
    for (const debian::PackageRecord& one : solution.packages) {
      out.insert(one.name + " " + one.version);
    }
    for (const std::string& one : solution.removed) {
      out.insert("- " + one);
    }
    return fmt::format("{}", fmt::join(out, "\n"));
  }

  // dpkg's status as after unpacking what is essential, and apt.
  std::string make_base() {
    DebianRequest base;
    base.essential = true;
    base.packages = {{*debian::parse_requirement("apt"), {}}};
    PackageUniverse universe(sources_, nullptr, {});
    DebianProvider provider(universe);
    const auto outcome = source::solve(provider, base);
    std::string status;
    for (const debian::PackageRecord& one : std::get<DebianSolution>(*outcome).packages) {
      const auto field = [&](std::string_view name, std::string_view value) {
        status += value.empty() ? "" : fmt::format("{}: {}\n", name, value);
      };
      field("Package", one.name);
      field("Status", "install ok installed");
      field("Version", one.version);
      field("Architecture", one.architecture);
      field("Maintainer", "nobody");
      field("Description", "none");
      field("Essential", one.essential ? "yes" : "");
      // apt tells versions apart by this and the relations, not by the version alone.
      field("Installed-Size", one.installed_kib == 0 ? "" : std::to_string(one.installed_kib));
      field("Priority", debian::to_string(one.priority));
      field("Multi-Arch", debian::to_string(one.multi_arch));
      field("Source", one.source);
      field("Pre-Depends", one.pre_depends);
      field("Depends", one.depends);
      field("Conflicts", one.conflicts);
      field("Breaks", one.breaks);
      field("Replaces", one.replaces);
      field("Provides", one.provides);
      status += "\n";
    }
    return status;
  }

  // apt's answer; "none" where it has none.
  std::string judged(const std::string& name, const std::string& place) {
    io::Command command;
    command.argv = {"apt-get", "-s",
                    "-o",      "Dir::State::status=" + place + "/status",
                    "-o",      "Dir::State::extended_states=" + place + "/extended",
                    "-o",      "Dir::Cache=" + place,
                    "-o",      "Dir::Cache::pkgcache=pkgcache.bin",
                    "-o",      "Dir::Cache::srcpkgcache=srcpkgcache.bin",
                    "-o",      "APT::Install-Recommends=0",
                    "-o",      "Debug::NoLocking=1",
                    "install", name};
    command.environment = {{"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}};
    const auto result = io::run_process(command);
    if (!result || !result->ok()) {
      return "none";
    }
    std::set<std::string> out;
    for (const std::string_view line : split_lines(result->output)) {
      const auto words = debian::value_words(line);
      if (words.size() > 2 && words[0] == "Inst") {
        const std::size_t version = words[2].starts_with('[') ? 3 : 2;
        out.insert(fmt::format("{} {}", words[1], words.at(version).substr(1)));
      } else if (words.size() > 1 && words[0] == "Remv") {
        out.insert(fmt::format("- {}", words[1]));
      }
    }
    return fmt::format("{}", fmt::join(out, "\n"));
  }

  std::vector<PackageSource> sources_;
};

// Three, since apt takes half a second for each; with CLOCHE_JUDGE=N, N.
TEST_F(AptJudge, InstallsTheSame) {
  io::TemporaryDirectory place = *io::TemporaryDirectory::create();
  const std::string status = make_base();
  ASSERT_TRUE(io::write_file_atomically(place.path() + "/status", status));
  ASSERT_TRUE(io::write_file_atomically(place.path() + "/extended", ""));
  ASSERT_TRUE(io::make_directories(place.path() + "/archives/partial"));
  const auto installed =
      PackageIndex::from_bytes(*make_package_index(status, ParagraphsOf::kStatus));
  ASSERT_TRUE(installed.has_value());

  std::vector<std::string> names = {"python3-torch", "default-jre-headless", "git"};
  const char* const more = std::getenv("CLOCHE_JUDGE");  // NOLINT(concurrency-mt-unsafe)
  const std::size_t wanted =
      more != nullptr ? static_cast<std::size_t>(std::atoi(more)) : names.size();
  const auto all = sources_[0].index.names();
  for (std::size_t i = 0; names.size() < wanted; ++i) {
    constexpr std::size_t kStride = 7919;  // a prime: spread over the whole archive
    const PackageIndex::Name& name = all[(i * kStride) % all.size()];
    if (name.record_count > 0) {
      names.emplace_back(sources_[0].index.text(name.name));
    }
  }
  // Before others ask beside each other, the first makes the cache that apt reads after.
  std::vector<std::string> apts = {judged(names[0], place.path())};
  std::vector<std::string> ours(names.size());
  apts.resize(names.size());
  io::ThreadPool pool;
  ASSERT_TRUE(pool.run(names.size(), [&](std::size_t i) -> Status {
    DebianRequest request;
    request.packages = {{*debian::parse_requirement(names[i]), {}}};
    ours[i] = solve(request, &*installed);
    apts[i] = i == 0 ? apts[i] : judged(names[i], place.path());
    return {};
  }));
  std::size_t same = 0;
  std::size_t installable = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    same += ours[i] == apts[i] ? 1 : 0;
    installable += apts[i] == "none" ? 0 : 1;
    EXPECT_EQ(ours[i], apts[i]) << names[i];
  }
  fmt::print("{} of {} the same, {} of them installable\n", same, names.size(), installable);
}

}  // namespace
}  // namespace cloche::source
