// What a container writes while an image is built, in memory.
#pragma once

#include <string>
#include <utility>

#include "core/result.h"
#include "io/descriptor.h"

namespace cloche::build {

class StepOutput {
 public:
  static Result<StepOutput> create();

  // For ContainerSpec::out and err.
  int descriptor() const { return file_.get(); }

  // The end of it, without blanks around: a few thousand bytes.
  std::string text() const;

 private:
  explicit StepOutput(io::Descriptor file) : file_(std::move(file)) {}

  io::Descriptor file_;
};

}  // namespace cloche::build
