// Bytecode for Python files, made by the environment's own interpreter.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "io/thread_pool.h"

namespace cloche::source {

struct BytecodeRequest {
  std::string root;                  // where the environment lies now
  std::string prefix;                // what it will be called: tracebacks name files below it
  std::string interpreter;           // "bin/python3.11", below the root
  std::vector<std::string> sources;  // below the root
};

// Compiles each source into a .pyc file that is believed without a look at the source (PEP 552,
// unchecked hash), so nothing depends on times. Returns the files that were made, sorted, below the
// root. A source that does not compile is passed over, as conda does. kUnsupported: the interpreter
// does not run here (another machine's, or what it needs is missing).
Result<std::vector<std::string>> compile_bytecode(const BytecodeRequest& request,
                                                  io::ThreadPool& pool,
                                                  const std::stop_token& stop = {});

}  // namespace cloche::source
