#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/check.h"
#include "package/debian/paragraph.h"
#include "package/debian/record.h"
#include "source/debian/package_index.h"

namespace {

using cloche::source::PackageIndex;

void read_all(const PackageIndex& index) {
  for (const PackageIndex::Name& name : index.names()) {
    for (const PackageIndex::Record& one : index.records_of(name)) {
      (void)index.package_record(one);
    }
    for (const PackageIndex::Provide& one : index.providers_of(name)) {
      if (const PackageIndex::Record* const record = index.record(one.record)) {
        (void)index.name_of(*record);
      }
    }
    (void)index.find(index.text(name.name));
  }
}

}  // namespace

// As the text of Packages and of a status file, and as an index itself.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloche;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto kind : {source::ParagraphsOf::kPackages, source::ParagraphsOf::kStatus}) {
    const auto bytes = source::make_package_index(text, kind);
    if (!bytes.has_value()) {
      CHECK(!bytes.error().message.empty());
      continue;
    }
    const auto index = PackageIndex::from_bytes(*bytes);
    CHECK(index.has_value());
    read_all(*index);
    for (const PackageIndex::Record& one : index->records()) {
      CHECK(index->find(index->name_of(one)) != nullptr);
    }
  }
  if (const auto index = PackageIndex::from_bytes(std::string(text))) {
    read_all(*index);
  }
  return 0;
}
