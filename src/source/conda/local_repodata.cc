#include "source/conda/local_repodata.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/digest.h"
#include "io/disk_files.h"
#include "source/conda/repodata_variant.h"

namespace cloche::source {
namespace {

std::string content_key(const std::string& path, const FileStamp& stamp) {
  return Digest::of(fmt::format("{} {} {} {} {} {}", path, stamp.size_bytes, stamp.mtime_ns,
                                stamp.ctime_ns, stamp.inode, stamp.device))
      .hex();
}

}  // namespace

Result<RepodataFile> local_repodata(const ChannelSubdir& want, std::int64_t now_ms) {
  const std::string folder = want.channel.path() + "/" + want.subdir;
  std::optional<std::pair<RepodataVariant, FileStamp>> best;
  for (const RepodataVariant& variant : kRepodataVariants) {
    const auto stamp = stamp_of(folder + "/" + std::string(variant.name));
    if (!stamp && stamp.error().kind != ErrorKind::kNotFound) {
      return stamp.error();
    }
    if (stamp && (!best || stamp->mtime_ns > best->second.mtime_ns)) {
      best = {variant, *stamp};
    }
  }
  RepodataFile out;
  out.channel = want.channel;
  out.subdir = want.subdir;
  out.checked_at_ms = now_ms;
  out.missing = !best;
  if (!best) {
    return out;
  }
  const auto& [variant, stamp] = *best;
  out.path = folder + "/" + std::string(variant.name);
  out.compression = variant.compression;
  out.url = want.url() + "/" + std::string(variant.name);
  out.size_bytes = stamp.size_bytes;
  out.stamp = stamp;
  out.content_key = stamp.settled_at(now_ms) ? content_key(out.path, stamp)
                                             : TRY(io::DiskFiles().digest(out.path)).hex();
  return out;
}

Status check_unchanged(const RepodataFile& file) {
  if (TRY(stamp_of(file.path)) == file.stamp) {
    return {};
  }
  return fail(ErrorKind::kUnavailable, "{} changed while it was read", file.path)
      .with_hint("try again when whoever indexes the channel is done");
}

}  // namespace cloche::source
