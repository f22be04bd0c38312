#include "build/install_environment.h"

#include <algorithm>
#include <thread>

#include "blob/lease.h"
#include "build/locked_channels.h"
#include "core/text.h"
#include "io/thread_pool.h"
#include "source/conda/package_download.h"

namespace cloche::build {

Result<source::InstallReport> install_environment(const InstallRequest& request,
                                                  const Channels& channels,
                                                  const std::stop_token& stop, Progress& progress) {
  const lock::CondaLock& conda = request.lock.conda;
  std::vector<conda::PackageRecord> records;
  std::vector<source::InstallPackage> packages;
  for (const std::size_t place : lock::install_order(request.lock)) {
    const lock::CondaPackage& one = conda.packages[place];
    if (one.incomplete) {
      return fail(ErrorKind::kUnsupported, "the lock knows only the URL of {}",
                  printable(one.record.name))
          .with_hint("lock the environment against its channels: cloche env lock --update-all");
    }
    records.push_back(one.record);
    packages.push_back(
        {.record = one.record, .archive = {}, .requested_specs = one.reason.requested});
  }

  const std::vector<source::Channel> known = TRY(locked_channels(request.lock, channels));
  const std::string directory = package_directory(channels);
  const auto lease = TRY(blob::Lease::take_where_writable(directory));  // while they are unpacked
  source::PackageCache cache(directory, channels.client, channels.credentials);
  std::vector<std::string> archives =
      TRY(cache.fetch(records, known, {.offline = request.offline}, stop, progress));
  for (std::size_t i = 0; i < packages.size(); ++i) {
    packages[i].archive = std::move(archives[i]);
  }

  source::InstallOptions options;
  options.prefix = request.prefix;
  options.replace = request.replace;
  options.compile_bytecode = request.compile_bytecode;
  io::ThreadPool pool(std::max(1U, std::thread::hardware_concurrency()));
  return source::install_prefix(packages, options, pool, channels.clock, progress, stop);
}

}  // namespace cloche::build
