// One package's part of the progress of packing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/progress.h"

namespace cloche::source {

// Content goes by twice, when it comes out of the archive and when it goes into the segment; told
// in the bytes of the archive, which is what the whole is told in. One thread.
class PackingShare {
 public:
  PackingShare(Progress& progress, std::string_view activity, std::string item,
               std::uint64_t archive_bytes)
      : progress_(progress),
        activity_(activity),
        item_(std::move(item)),
        left_(archive_bytes),
        archive_bytes_(archive_bytes) {}

  // How much content there is, as far as one knows.
  void expect(std::uint64_t content_bytes) { expected_ = 2 * content_bytes; }

  void passed(std::uint64_t bytes) {
    constexpr std::uint64_t kStep = std::uint64_t{1} << 20U;
    passed_ += bytes;
    if (passed_ - told_ < kStep || expected_ == 0) {
      return;
    }
    const double share = static_cast<double>(passed_ - told_) / static_cast<double>(expected_);
    told_ = passed_;
    tell(static_cast<std::uint64_t>(share * static_cast<double>(archive_bytes_)));
  }

  void finish() { tell(left_); }

 private:
  void tell(std::uint64_t bytes) {
    bytes = std::min(bytes, left_);
    left_ -= bytes;
    progress_.advance(activity_, bytes, item_);
  }

  Progress& progress_;
  std::string_view activity_;
  std::string item_;
  std::uint64_t left_;
  std::uint64_t archive_bytes_;
  std::uint64_t expected_ = 0;
  std::uint64_t passed_ = 0;
  std::uint64_t told_ = 0;
};

}  // namespace cloche::source
