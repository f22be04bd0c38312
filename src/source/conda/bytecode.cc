#include "source/conda/bytecode.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <fmt/format.h>

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

// Before Python 3.11 the order of a frozenset's members in bytecode can depend on where the
// interpreter lay in memory: such files go without. A shortage of memory is an error, for it would
// make a difference between machines.
constexpr std::string_view kImageProgram = R"(
import marshal, os, sys
sys.path[:] = sys.path[1:]
plain = (str, bytes, int, float, complex, type(u''))
decode = getattr(os, 'fsdecode', lambda name: name)

def is_stable(code):
    for one in code.co_consts:
        if isinstance(one, frozenset) and not all(isinstance(item, plain) for item in one):
            return False
        if hasattr(one, 'co_consts') and not is_stable(one):
            return False
    return True

def compile_tree(tree, prefix):
    import py_compile
    options = {}
    if hasattr(py_compile, 'PycInvalidationMode'):
        options['invalidation_mode'] = py_compile.PycInvalidationMode.CHECKED_HASH
    with open(tree + '.list', 'rb') as names:
        sources = names.read().split(b'\0')[:-1]
    for source in map(decode, sources):
        try:
            made = py_compile.compile(os.path.join(tree, source), doraise=True,
                                      dfile=prefix + '/' + source, **options)
        except MemoryError:
            raise
        except Exception:
            continue
        if made and sys.version_info < (3, 11):
            with open(made, 'rb') as file:
                bytecode = file.read()
            header = 16 if options else 12 if sys.version_info >= (3, 3) else 8
            if not is_stable(marshal.loads(bytecode[header:])):
                os.remove(made)

def compile_all(directory, prefix, packages, processes):
    left, failed = 0, 0
    for number in range(packages):
        if left == processes:
            failed, left = failed | os.wait()[1], left - 1
        command = [sys.executable, '-E', '-s', '-S', '-B', '-W', 'ignore', __file__,
                   os.path.join(directory, str(number)), prefix]
        os.spawnv(os.P_NOWAIT, sys.executable, command)
        left += 1
    while left:
        failed, left = failed | os.wait()[1], left - 1
    if failed:
        sys.exit('a source could not be compiled')
    sys.stdout.write(getattr(getattr(sys, 'implementation', None), 'cache_tag', None) or '')

if len(sys.argv) == 3:
    compile_tree(sys.argv[1], sys.argv[2])
else:
    compile_all(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
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

std::string_view image_bytecode_program() { return kImageProgram; }

std::string bytecode_path(const std::string& source, std::string_view tag) {
  const std::string_view name = base_name(source);
  return tag.empty()
             ? source + "c"
             : join_path(parent_path(source), fmt::format("__pycache__/{}.{}.pyc",
                                                          name.substr(0, name.rfind('.')), tag));
}

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
