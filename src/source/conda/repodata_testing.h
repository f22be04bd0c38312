// Repodata for tests: made by hand, read from the shared data, and everything of an index touched.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "package/conda/record.h"
#include "source/conda/repodata_index.h"

namespace cloche::source {

// The bytes of the index of a document, found in linux-64; at most `window_bytes` of it seen
// together.
Result<std::string> index_bytes(std::string_view json,
                                std::size_t window_bytes = std::size_t{512} << 10U,
                                std::string_view subdir = "linux-64");

// All records of an index, in its order, of a channel at https://host/channel.
std::vector<conda::PackageRecord> all_records(const RepodataIndex& index);

// A record as an array of its fields: file name, name, version, build, number, subdir, size, md5,
// sha256, depends, constrains, track features, noarch, python's directory, license, its family,
// time.
Json to_json(const conda::PackageRecord& record);

// Reads whatever can be asked of an index; returns how many bytes of text it saw.
std::size_t touch_everything(const RepodataIndex& index);

// The document of a shared subdir ("cf-real/linux-64"), "" where the data is missing.
std::string shared_repodata(const std::string& source_dir, const std::string& place);

// Its index, parsed once for the whole process, or nullptr.
const std::string* shared_index_bytes(const std::string& source_dir, const std::string& place);

}  // namespace cloche::source
