#include "source/conda/record_source.h"

namespace cloche::source {

std::vector<std::string_view> IndexSource::names() {
  std::vector<std::string_view> out;
  out.reserve(index_.name_count());
  for (std::size_t i = 0; i < index_.name_count(); ++i) {
    out.push_back(index_.name(i));
  }
  return out;
}

}  // namespace cloche::source
