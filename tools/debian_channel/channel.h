// A conda channel made of the Debian packages of a suite.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "core/progress.h"
#include "core/result.h"
#include "debian_channel/deb_source.h"
#include "debian_channel/rules.h"
#include "io/thread_pool.h"

namespace cloche::debian_channel {

struct ChannelRequest {
  std::string directory;        // the channel
  std::string cache_directory;  // converted packages by content
  std::string suite;
  std::vector<std::string> roots = {};  // conda names; empty: those of the rules
};

struct ChannelReport {
  std::uint64_t packages = 0;
  std::uint64_t noarch_python = 0;
  std::uint64_t converted = 0;  // the others were cached
  std::uint64_t written = 0;    // archives; the others were there
  std::uint64_t archive_bytes = 0;
  std::uint64_t installed_bytes = 0;
  std::uint64_t debs = 0;
  std::uint64_t downloaded = 0;
  std::uint64_t downloaded_bytes = 0;
  std::uint64_t needless_bytes = 0;  // of downloaded archives that nothing turned out to need
  std::vector<std::string> notes;
};

// Makes or completes the channel: packages of the suite that are there already and would be the
// same are left alone, those of other suites stay. One caller at a time.
Result<ChannelReport> make_channel(const ChannelRequest& request, const Rules& rules,
                                   DebSource& source, io::ThreadPool& pool,
                                   const std::stop_token& stop, Progress& progress);

}  // namespace cloche::debian_channel
