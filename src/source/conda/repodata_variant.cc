#include "source/conda/repodata_variant.h"

#include "core/text.h"

namespace cloche::source {

bool looks_like(const RepodataVariant& variant, std::string_view head) {
  switch (variant.compression) {
    case io::Compression::kZstd:
      return head.starts_with("\x28\xB5\x2F\xFD") ||
             (head.size() >= 4 && head.substr(1, 3) == "\x2A\x4D\x18");  // a skippable frame
    case io::Compression::kBzip2:
      return head.starts_with("BZh");
    case io::Compression::kNone:
      return trim_left(head).empty() || trim_left(head).starts_with('{');
    case io::Compression::kGzip:
    case io::Compression::kXz:
      break;  // no variant is
  }
  return false;
}

}  // namespace cloche::source
