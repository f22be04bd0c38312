#include "source/conda/bytecode.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "core/files.h"
#include "core/text.h"
#include "io/process.h"

namespace cloche::source {
namespace {

// Files for one interpreter to compile: starting one takes as long as compiling ten.
constexpr std::size_t kFilesEach = 400;

// Reads the root, the final prefix and then a source a line; prints a line for each file it made.
// Runs on every Python that conda packages exist for; unchecked hashes came with 3.7.
constexpr std::string_view kProgram = R"(
import os, py_compile, sys
lines = sys.stdin.read().split('\n')
root, prefix = lines[0], lines[1]
options = {}
if hasattr(py_compile, 'PycInvalidationMode'):
    options['invalidation_mode'] = py_compile.PycInvalidationMode.UNCHECKED_HASH
for source in lines[2:]:
    if not source:
        continue
    try:
        made = py_compile.compile(os.path.join(root, source), dfile=os.path.join(prefix, source),
                                  doraise=True, **options)
    except Exception:
        continue
    if made is None:
        made = os.path.join(root, source + 'c')
    sys.stdout.write(os.path.relpath(made, root) + '\n')
)";

Result<std::string> compile_some(const BytecodeRequest& request, std::size_t from, std::size_t to,
                                 const std::stop_token& stop) {
  io::Command command;
  command.argv = {join_path(request.root, request.interpreter),
                  "-E",
                  "-s",
                  "-S",
                  "-B",
                  "-W",
                  "ignore",
                  "-c",
                  std::string(kProgram)};
  command.environment = {"LANG=C.UTF-8", "PATH=/usr/bin:/bin", "PYTHONHASHSEED=0"};
  command.directory = request.root;
  command.input = request.root + "\n" + request.prefix + "\n";
  for (std::size_t i = from; i < to; ++i) {
    command.input += request.sources[i] + "\n";
  }
  command.output_limit_bytes = std::size_t{64} << 20U;
  Result<io::ProcessResult> result = io::run_process(command, stop);
  if (!result && result.error().kind == ErrorKind::kCancelled) {
    return std::move(result.error());
  }
  if (!result || !result->ok()) {
    const std::string_view why =
        !result ? std::string_view(result.error().message) : trim(result->errors);
    return fail(ErrorKind::kUnsupported, "{} does not run here: {}", request.interpreter,
                printable(why.substr(0, 300)));
  }
  return std::move(result->output);
}

}  // namespace

Result<std::vector<std::string>> compile_bytecode(const BytecodeRequest& request,
                                                  io::ThreadPool& pool,
                                                  const std::stop_token& stop) {
  // A name with a line feed would be two.
  BytecodeRequest wanted = request;
  std::erase_if(wanted.sources,
                [](const std::string& path) { return path.find('\n') != std::string::npos; });
  const std::size_t parts = (wanted.sources.size() + kFilesEach - 1) / kFilesEach;
  const std::vector<std::string> outputs = TRY(pool.map(
      parts,
      [&](std::size_t part) {
        const std::size_t from = part * kFilesEach;
        return compile_some(wanted, from, std::min(from + kFilesEach, wanted.sources.size()), stop);
      },
      stop));
  std::vector<std::string> made;
  for (const std::string& output : outputs) {
    for (const std::string_view line : split_lines(output)) {
      made.emplace_back(line);
    }
  }
  std::ranges::sort(made);
  return made;
}

}  // namespace cloche::source
