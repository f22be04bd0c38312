// debian_channel: a conda channel out of Debian packages, or out of a few lines of YAML.
// docs/manual/test-channel.md
#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/files.h"
#include "core/text.h"
#include "debian_channel/channel.h"
#include "debian_channel/synthetic.h"
#include "io/disk_files.h"
#include "io/system.h"

namespace {

using cloche::ErrorKind;
using cloche::Result;
using cloche::Status;
namespace channel = cloche::debian_channel;

constexpr std::string_view kUsage =
    "debian_channel make DIRECTORY --suite SUITE [--root NAME]... [--mirror URL] [--cache "
    "DIRECTORY]\n"
    "                    [--notes]\n"
    "    makes or completes a conda channel out of the packages of a Debian suite\n"
    "debian_channel synthetic FILE.yaml DIRECTORY\n"
    "    makes a channel of the packages that the file describes\n";

struct Arguments {
  std::vector<std::string> words;
  std::map<std::string, std::vector<std::string>> options;

  std::string option(const std::string& name, const std::string& otherwise) const {
    const auto found = options.find(name);
    return found == options.end() ? otherwise : found->second.back();
  }
};

Result<Arguments> parse(int argc, char** argv) {
  Arguments out;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--notes") {
      out.options[word].emplace_back();
    } else if (word.starts_with("--")) {
      if (i + 1 == argc) {
        return cloche::fail(ErrorKind::kUsage, "{} needs a value", word);
      }
      out.options[word].emplace_back(argv[++i]);
    } else {
      out.words.push_back(word);
    }
  }
  return out;
}

// Cloche's own: archives and indexes are shared with it.
std::string default_cache() {
  if (std::string own = cloche::io::environment_variable("CLOCHE_CACHE"); !own.empty()) {
    return own;
  }
  const std::string cache = cloche::io::environment_variable("XDG_CACHE_HOME");
  return (cache.empty() ? cloche::io::environment_variable("HOME") + "/.cache" : cache) + "/cloche";
}

Status make(const Arguments& arguments) {
  const std::string suite = arguments.option("--suite", "bookworm");
  const std::string cache = arguments.option("--cache", default_cache());
  const std::string rules_path = CLOCHE_SOURCE_PATH "/tools/debian_channel/rules.yaml";
  cloche::io::DiskFiles disk;
  const std::string rules_text = TRY(disk.read(rules_path, cloche::kMaxTextBytes));
  const channel::Rules rules = TRY(channel::Rules::parse(rules_text, rules_path, suite));
  channel::ChannelRequest request{
      .directory = arguments.words.at(1), .cache_directory = cache, .suite = suite};
  if (const auto roots = arguments.options.find("--root"); roots != arguments.options.end()) {
    request.roots = roots->second;
  }
  channel::DebSource source(arguments.option("--mirror", ""), suite, cache);
  cloche::io::ThreadPool pool;
  cloche::Progress progress;
  const auto begin = std::chrono::steady_clock::now();
  const channel::ChannelReport report =
      TRY(channel::make_channel(request, rules, source, pool, {}, progress));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  if (arguments.options.contains("--notes")) {
    for (const std::string& note : report.notes) {
      fmt::print("note: {}\n", cloche::printable(note));
    }
  }
  constexpr double kMega = 1e6;
  fmt::print(
      "{}: {} packages ({} noarch python), {:.1f} MB, {:.1f} MB installed, in {}\n"
      "{} Debian packages, {} downloaded ({:.1f} MB; {:.1f} MB not needed in the end); {} "
      "converted, "
      "{} written, {} notes, {:.1f} s\n",
      suite, report.packages, report.noarch_python,
      static_cast<double>(report.archive_bytes) / kMega,
      static_cast<double>(report.installed_bytes) / kMega, request.directory, report.debs,
      report.downloaded, static_cast<double>(report.downloaded_bytes) / kMega,
      static_cast<double>(report.needless_bytes) / kMega, report.converted, report.written,
      report.notes.size(), took.count());
  return {};
}

Status run(int argc, char** argv) {
  const Arguments arguments = TRY(parse(argc, argv));
  const std::vector<std::string>& words = arguments.words;
  if (words.size() == 2 && words[0] == "make") {
    return make(arguments);
  }
  if (words.size() == 3 && words[0] == "synthetic") {
    cloche::io::DiskFiles disk;
    const std::string text = TRY(disk.read(words[1], cloche::kMaxTextBytes));
    return channel::make_synthetic_channel(text, words[1], words[2]);
  }
  return cloche::fail(ErrorKind::kUsage, "wrong usage");
}

}  // namespace

int main(int argc, char** argv) {
  const Status status = run(argc, argv);
  if (!status) {
    fmt::print(stderr, "{}\n", status.error().to_string());
    if (status.error().kind == ErrorKind::kUsage) {
      fmt::print(stderr, "{}", kUsage);
    }
    return cloche::exit_code(status.error().kind);
  }
  return 0;
}
