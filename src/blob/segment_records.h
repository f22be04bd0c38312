// Records of a SegmentStore that outlive what they are about.
#pragma once

#include <cstddef>
#include <string>

namespace cloche::blob {

// Removes the records of segments whose blobs are gone, as an eviction leaves them, from the store
// with this root, and says how many. One that is made again at that moment may lose its record:
// then it is made once more.
std::size_t forget_missing_segments(const std::string& root);

}  // namespace cloche::blob
