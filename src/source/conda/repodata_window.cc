#include "source/conda/repodata_window.h"

#include <cstring>
#include <span>

namespace cloche::source {
namespace {

// For one record; simdjson needs six times as much again.
constexpr std::size_t kMaxWindowBytes = std::size_t{8} << 20U;

}  // namespace

Status RepodataWindow::fill() {
  std::memmove(buffer_.data() + 1, data(), size());
  end_ = 1 + size();
  begin_ = 1;
  while (!eof_ && end_ < 1 + capacity()) {
    const std::size_t count =
        TRY(source_.read(std::span(buffer_).subspan(end_, 1 + capacity() - end_)));
    eof_ = count == 0;
    end_ += count;
  }
  return {};
}

bool RepodataWindow::grow() {
  if (capacity() * 2 > kMaxWindowBytes) {
    return false;
  }
  buffer_.resize((capacity() * 2) + kSlack);
  return true;
}

Result<int> RepodataWindow::peek() {
  if (size() == 0 && !eof_) {
    TRY(fill());
  }
  return size() > 0 ? static_cast<unsigned char>(*data()) : kEnd;
}

}  // namespace cloche::source
