// Any bytes as a layer: no crash, and nothing outside the directory changes.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "blob/unpack.h"
#include "core/check.h"
#include "io/reader.h"
#include "io/temporary.h"

namespace {

namespace fs = std::filesystem;

// A directory with a folder to unpack into and one that must stay as it is.
struct Place {
  cloche::io::TemporaryDirectory directory =
      std::move(*cloche::io::TemporaryDirectory::create("/dev/shm"));
  std::string root = directory.path() + "/root";
  std::string outside = directory.path() + "/outside";

  Place() {
    fs::create_directory(outside);
    std::ofstream(outside + "/victim") << "untouched";
    fs::create_directory(root);
    fs::create_symlink("../outside", root + "/l");
  }

  void check() const {
    CHECK(fs::is_directory(fs::symlink_status(root)));
    std::string content;
    std::ifstream(outside + "/victim") >> content;
    CHECK(content == "untouched" && fs::hard_link_count(outside + "/victim") == 1);
    CHECK(std::distance(fs::directory_iterator(outside), fs::directory_iterator()) == 1);
    CHECK(std::distance(fs::directory_iterator(directory.path()), fs::directory_iterator()) == 2);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);  // NOLINT
  const Place place;
  cloche::io::MemoryReader source(bytes);
  const auto result = cloche::blob::unpack(
      source, place.root, {.max_entries = 200, .max_bytes = std::uint64_t{1} << 22U}, {});
  CHECK(result || !result.error().message.empty());
  place.check();
  return 0;
}
