// "PLACEHOLDER|PREFIX|CONTENT": the same result however the content is cut, and binaries keep their
// size.
#include <cstdint>
#include <string>

#include "core/check.h"
#include "source/conda/prefix_replacement.h"

namespace {

using cloche::Result;
using cloche::Status;
using cloche::source::FileMode;
using cloche::source::PrefixReplacement;

Result<std::string> in_pieces(FileMode mode, std::string_view content, std::string_view what,
                              std::string_view by, std::size_t step) {
  std::string out;
  PrefixReplacement replacement(mode, what, by, [&](std::string_view piece) -> Status {
    out += piece;
    return {};
  });
  for (; !content.empty(); content.remove_prefix(std::min(step, content.size()))) {
    TRY(replacement.append(content.substr(0, step)));
  }
  TRY(replacement.finish());
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);  // NOLINT
  const std::size_t first = text.find('|');
  const std::size_t second = first == std::string_view::npos ? first : text.find('|', first + 1);
  if (second == std::string_view::npos || first == 0) {
    return 0;
  }
  const std::string_view what = text.substr(0, first);
  const std::string_view by = text.substr(first + 1, second - first - 1);
  const std::string_view content = text.substr(second + 1);
  if (what.find('\0') != std::string_view::npos || by.find('\0') != std::string_view::npos) {
    return 0;
  }
  for (const FileMode mode : {FileMode::kText, FileMode::kBinary}) {
    const Result<std::string> whole = in_pieces(mode, content, what, by, content.size() + 1);
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}}) {
      const Result<std::string> pieces = in_pieces(mode, content, what, by, step);
      CHECK(whole.has_value() == pieces.has_value());
      CHECK(!whole || *whole == *pieces);
    }
    CHECK(mode == FileMode::kText || !whole || whole->size() == content.size());
  }
  return 0;
}
