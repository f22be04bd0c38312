#include "source/conda/held_files.h"

#include <utility>

#include "core/digest_many.h"

namespace cloche::source {
namespace {

constexpr std::size_t kFullBytes = std::size_t{4} << 20U;
constexpr std::size_t kFullFiles = 10'000;

}  // namespace

Status HeldFiles::add(const File& file, EntryStream& stream) {
  for (std::string_view piece = TRY(stream.content()); !piece.empty();
       piece = TRY(stream.content())) {
    bytes_ += piece;
  }
  files_.push_back(file);
  ends_.push_back(bytes_.size());
  return {};
}

bool HeldFiles::full() const { return bytes_.size() >= kFullBytes || files_.size() >= kFullFiles; }

Status HeldFiles::take(const Take& take) {
  std::vector<std::string_view> contents;
  contents.reserve(files_.size());
  std::size_t begin = 0;
  for (const std::size_t end : ends_) {
    contents.push_back(std::string_view(bytes_).substr(begin, end - begin));
    begin = end;
  }
  std::vector<std::string> hashes = sha256_of_each(contents);
  for (std::size_t i = 0; i < files_.size(); ++i) {
    TRY(take(files_[i], contents[i], std::move(hashes[i])));
  }
  files_.clear();
  ends_.clear();
  bytes_.clear();
  return {};
}

}  // namespace cloche::source
