#include "io/heap.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace cloche::io {
namespace {

constexpr int kFirstStepBytes = 256 << 20;
constexpr int kLaterStepBytes = 2 << 20;
constexpr std::uintptr_t kHugePageBytes = std::uintptr_t{2} << 20U;

bool is_limited(__rlimit_resource_t resource) {
  rlimit limit{};
  return ::getrlimit(resource, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY;
}

}  // namespace

void prepare_heap() {
  if (is_limited(RLIMIT_AS) || is_limited(RLIMIT_DATA)) {
    return;
  }
  // What is freed stays in the heap for the next one who asks, large pieces too.
  ::mallopt(M_TRIM_THRESHOLD, 2 * kFirstStepBytes);
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  // One heap for all threads: the others' would be small pages. A thread's own small pieces need no
  // lock all the same (tcache).
  ::mallopt(M_ARENA_MAX, 1);
  // More than the heap has by now: it grows, by the whole first step. Volatile, since compilers
  // leave out a malloc whose memory is only freed.
  ::mallopt(M_TOP_PAD, kFirstStepBytes);
  void* const volatile more = std::malloc(16 << 20);
  ::mallopt(M_TOP_PAD, kLaterStepBytes);
  if (more == nullptr) {
    return;
  }
  std::free(more);
  char* const end = static_cast<char*>(::sbrk(0));
  char* begin = end - kFirstStepBytes;
  begin +=
      (kHugePageBytes - reinterpret_cast<std::uintptr_t>(begin) % kHugePageBytes) % kHugePageBytes;
  ::madvise(begin, static_cast<std::size_t>(end - begin), MADV_HUGEPAGE);
}

}  // namespace cloche::io
