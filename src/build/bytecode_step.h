// The one thing that is run for nearly every environment: its Python, to compile bytecode.
#pragma once

#include <stop_token>
#include <string>

#include "blob/segment_store.h"
#include "core/progress.h"
#include "core/result.h"
#include "image/environment_image.h"
#include "image/layout.h"
#include "io/thread_pool.h"
#include "runtime/engine.h"
#include "source/conda/bytecode.h"

namespace cloche::build {

// Where a step runs: everything outlives it.
struct StepSurroundings {
  const runtime::Engine& engine;
  const image::BaseImage& base;
  const image::Layout& layout;   // with the base's layers; takes those of the environment
  blob::SegmentStore& segments;  // the environment's
  const std::string& cache;      // for unpacked layers
  io::ThreadPool& pool;
  const std::stop_token& stop;
  Progress& progress;
};

// Compiles a batch in a container of the base and the interpreter's own packages, without a
// network; of this machine it sees the batch's directory and nothing else. As
// source::CompileBytecode says; kUnsupported also when the base and the interpreter do not go
// together.
Result<std::string> compile_bytecode_contained(const source::BytecodeBatch& batch,
                                               const StepSurroundings& around);

}  // namespace cloche::build
