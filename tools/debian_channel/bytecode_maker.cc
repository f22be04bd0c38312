#include "debian_channel/bytecode_maker.h"

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "core/files.h"
#include "core/text.h"
#include "io/disk_files.h"
#include "io/process.h"
#include "source/conda/bytecode.h"

namespace cloche::debian_channel {
namespace {

constexpr std::size_t kMaxBytecode = std::size_t{64} << 20U;

// Where images have the environment; an import says where a file really is.
constexpr std::string_view kPrefix = "/opt/cloche/env";

}  // namespace

Result<std::unique_ptr<BytecodeMaker>> BytecodeMaker::create(
    const std::vector<std::string>& payloads, const std::string& python, const std::string& parent,
    io::ThreadPool& pool, const std::stop_token& stop) {
  io::TemporaryDirectory directory = TRY(io::TemporaryDirectory::create(parent));
  TRY(pool.run(
      payloads.size(),
      [&](std::size_t i) -> Status {
        const io::ProcessResult unpacked = TRY(io::run_process(
            {.argv = {"tar", "-I", "zstd", "-xf", payloads[i], "-C", directory.path()}}, stop));
        return unpacked.ok() ? Status()
                             : fail(ErrorKind::kCorrupt, "unpacking {}: {}", payloads[i],
                                    printable(unpacked.errors));
      },
      stop));
  const io::ProcessResult run = TRY(io::run_process(
      {.argv = {join_path(directory.path(), "bin/python" + python), "-I", "-S", "-c", ""},
       .environment = std::vector<std::string>()},
      stop));
  if (!run.ok()) {
    return fail(ErrorKind::kUnsupported, "python {} does not run on this machine: {}", python,
                printable(trim(run.errors)));
  }
  return std::unique_ptr<BytecodeMaker>(
      new BytecodeMaker(std::move(directory), python, pool, stop));
}

Result<BytecodeMaker::Files> BytecodeMaker::compile(const Files& sources) {
  const std::string root =
      join_path(directory_.path(), "package-" + std::to_string(count_.fetch_add(1)));
  source::BytecodeRequest request{.root = root,
                                  .prefix = std::string(kPrefix),
                                  .interpreter = "../bin/python" + python_,
                                  .sources = {}};
  std::string made_directory;
  for (const auto& [path, content] : sources) {
    const std::string target = join_path(root, path);
    if (std::string parent = parent_path(target); parent != made_directory) {
      std::error_code ignored;
      std::filesystem::create_directories(parent, ignored);  // compiling tells what is missing
      made_directory = std::move(parent);
    }
    std::ofstream(target, std::ios::binary) << content;  // thrown away: not synced
    request.sources.push_back(path);
  }
  Files out;
  io::DiskFiles disk;
  for (const std::string& path : TRY(source::compile_bytecode(request, pool_, stop_))) {
    out.emplace_back(path, TRY(disk.read(join_path(root, path), kMaxBytecode)));
  }
  return out;
}

}  // namespace cloche::debian_channel
