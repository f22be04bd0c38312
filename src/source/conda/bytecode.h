// Bytecode for Python files, made by the environment's own interpreter.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "blob/segment.h"
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

// Sources of several packages that are to be compiled for images, where nothing that a package
// brings may run on this machine as it is: whoever compiles does it in a container.
struct BytecodeBatch {
  // Holds "0", "1", ...: of each package what its prefix is to hold, as far as it is sources; and
  // "0.list", ...: their paths, each followed by a NUL. Bytecode is written beside the sources.
  std::string directory;
  std::size_t packages = 0;
  std::string prefix;                  // what each of those directories will be called
  std::string interpreter;             // "bin/python3.11", below the prefix
  std::vector<blob::Segment> runtime;  // that of the interpreter and of what it depends on
};

// Compiles a batch and returns how the interpreter tags bytecode: "cpython-311"; "": it stands
// beside its source. kUnsupported: the interpreter does not run.
using CompileBytecode = std::function<Result<std::string>(const BytecodeBatch&)>;

// What the interpreter runs for that, as `python -E -s -S -B PROGRAM DIRECTORY PREFIX PACKAGES
// PROCESSES`; prints the tag. The same sources and interpreter give the same bytes, wherever and
// whenever: each package in a process of its own, bytecode that is checked against its source's
// hash (PEP 552). Sources that do not compile are passed over. Fails when a process does.
std::string_view image_bytecode_program();

// "a/__pycache__/b.cpython-311.pyc" for "a/b.py"; "a/b.pyc" without a tag.
std::string bytecode_path(const std::string& source, std::string_view tag);

}  // namespace cloche::source
