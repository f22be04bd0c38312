#include "source/conda/repodata_testing.h"

#include <map>
#include <utility>

#include "core/check.h"
#include "core/testing.h"
#include "io/decompress.h"
#include "io/reader.h"
#include "source/conda/repodata_index_builder.h"
#include "source/conda/repodata_parser.h"

namespace cloche::source {

namespace {

Result<std::string> bytes_of(RepodataIndexBuilder builder) {
  std::string bytes;
  TRY(std::move(builder).finish([&](std::string_view piece) -> Status {
    bytes += piece;
    return {};
  }));
  return bytes;
}

Json texts(const std::vector<std::string>& all) {
  Json out = Json::array();
  for (const std::string& one : all) {
    out.push(one);
  }
  return out;
}

}  // namespace

Result<std::string> index_bytes(std::string_view json, std::size_t window_bytes,
                                std::string_view subdir) {
  io::MemoryReader reader(json);
  RepodataIndexBuilder builder;
  TRY(parse_repodata(reader, subdir, builder, window_bytes));
  return bytes_of(std::move(builder));
}

std::vector<conda::PackageRecord> all_records(const RepodataIndex& index) {
  std::vector<conda::PackageRecord> out;
  for (const RepodataIndex::Record& record : index.records()) {
    out.push_back(index.package_record(record, "https://host/channel"));
  }
  return out;
}

Json to_json(const conda::PackageRecord& record) {
  static constexpr const char* kNoarch[] = {"", "generic", "python"};
  return Json::array()
      .push(record.file_name)
      .push(record.name)
      .push(record.version)
      .push(record.build)
      .push(record.build_number)
      .push(record.subdir)
      .push(static_cast<std::int64_t>(record.size_bytes))
      .push(record.md5)
      .push(record.sha256)
      .push(texts(record.depends))
      .push(texts(record.constrains))
      .push(texts(record.track_features))
      .push(kNoarch[static_cast<std::size_t>(record.noarch)])
      .push(record.python_site_packages_path)
      .push(record.license)
      .push(record.license_family)
      .push(record.timestamp_ms);
}

std::size_t touch_everything(const RepodataIndex& index) {
  std::size_t seen = index.subdir().size() + index.base_url().size();
  for (std::size_t i = 0; i < index.name_count(); ++i) {
    seen += index.name(i).size() + index.records_of(index.name(i)).size();
  }
  for (const conda::PackageRecord& record : all_records(index)) {
    seen += to_json(record).dump().size() + record.url.size();
    for (const auto& [extra, specs] : record.extra_depends) {
      seen += extra.size() + specs.size();
    }
  }
  return seen + index.records_of("no-such-package").size();
}

std::string shared_repodata(const std::string& source_dir, const std::string& place) {
  const std::string bytes =
      shared_data(source_dir, "conda/repodata/" + place + "/repodata.json.zst");
  if (bytes.empty()) {
    return "";
  }
  io::MemoryReader compressed(bytes);
  const auto reader = io::decompress(compressed, io::Compression::kZstd);
  auto json = io::read_all(*reader, std::size_t{1} << 30U);
  CHECK(json.has_value());
  return std::move(*json);
}

const std::string* shared_index_bytes(const std::string& source_dir, const std::string& place) {
  static std::map<std::string, std::string> read;
  const auto [found, added] = read.try_emplace(place);
  if (added) {
    const std::string json = shared_repodata(source_dir, place);
    if (!json.empty()) {
      auto bytes = index_bytes(json, std::size_t{512} << 10U, place.substr(place.find('/') + 1));
      CHECK(bytes.has_value());
      found->second = std::move(*bytes);
    }
  }
  return found->second.empty() ? nullptr : &found->second;
}

}  // namespace cloche::source
