#include "build/step_output.h"

#include <algorithm>
#include <cerrno>

#include <sys/mman.h>
#include <unistd.h>

#include "core/text.h"
#include "io/system_error.h"

namespace cloche::build {
namespace {

constexpr off_t kMaxBytes = 4096;

}  // namespace

Result<StepOutput> StepOutput::create() {
  io::Descriptor file(::memfd_create("cloche-step", MFD_CLOEXEC));
  if (!file.valid()) {
    return io::system_error(errno, "create", "a file in memory");
  }
  return StepOutput(std::move(file));
}

std::string StepOutput::text() const {
  const off_t size = ::lseek(file_.get(), 0, SEEK_END);
  const off_t from = std::max<off_t>(0, size - kMaxBytes);
  std::string out(static_cast<std::size_t>(std::max<off_t>(0, size - from)), '\0');
  const ssize_t count = ::pread(file_.get(), out.data(), out.size(), from);
  out.resize(static_cast<std::size_t>(std::max<ssize_t>(0, count)));
  return std::string(trim(out));
}

}  // namespace cloche::build
