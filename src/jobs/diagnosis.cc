#include "jobs/diagnosis.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/size.h"
#include "core/text.h"

namespace cloche::jobs {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// conda's names where they are not the module's.
constexpr std::array<Pair, 34> kPackages = {{
    {"Bio", "biopython"},
    {"Crypto", "pycryptodome"},
    {"MySQLdb", "mysqlclient"},
    {"OpenSSL", "pyopenssl"},
    {"PIL", "pillow"},
    {"attr", "attrs"},
    {"azureml", "azureml-core (with pip)"},
    {"bs4", "beautifulsoup4"},
    {"cv2", "opencv"},
    {"dateutil", "python-dateutil"},
    {"dotenv", "python-dotenv"},
    {"fitz", "pymupdf"},
    {"git", "gitpython"},
    {"google.protobuf", "protobuf"},
    {"igraph", "python-igraph"},
    {"jwt", "pyjwt"},
    {"kafka", "kafka-python"},
    {"lightning", "lightning"},
    {"magic", "python-magic"},
    {"mpl_toolkits", "matplotlib"},
    {"mpi4py", "mpi4py"},
    {"pkg_resources", "setuptools"},
    {"psycopg2", "psycopg2"},
    {"pytorch_lightning", "pytorch-lightning"},
    {"serial", "pyserial"},
    {"skimage", "scikit-image"},
    {"sklearn", "scikit-learn"},
    {"tensorboard", "tensorboard"},
    {"torch", "pytorch"},
    {"usb", "pyusb"},
    {"win32api", "pywin32 (of Windows only)"},
    {"yaml", "pyyaml"},
    {"zmq", "pyzmq"},
    {"socks", "pysocks"},
}};

// Shared libraries that images without a desktop lack, and Debian's package that brings each.
constexpr std::array<Pair, 9> kLibraries = {{
    {"libGL.so.1", "libgl1"},
    {"libglib-2.0.so.0", "libglib2.0-0"},
    {"libgthread-2.0.so.0", "libglib2.0-0"},
    {"libgomp.so.1", "libgomp1"},
    {"libSM.so.6", "libsm6"},
    {"libXext.so.6", "libxext6"},
    {"libXrender.so.1", "libxrender1"},
    {"libsndfile.so.1", "libsndfile1"},
    {"libmpi.so.40", "openmpi-bin"},
}};

// What follows the last `mark` in the text, to the line's end.
std::optional<std::string_view> after_last(std::string_view text, std::string_view mark) {
  const std::size_t at = text.rfind(mark);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view rest = text.substr(at + mark.size());
  return rest.substr(0, rest.find('\n'));
}

bool holds(std::string_view text, std::string_view wanted) {
  return text.find(wanted) != std::string_view::npos;
}

std::string_view inside_quotes(std::string_view text) {
  const std::size_t begin = text.find_first_of("'\"");
  const std::size_t end = text.find_first_of("'\"", begin + 1);
  return begin == std::string_view::npos || end == std::string_view::npos
             ? trim(text)
             : text.substr(begin + 1, end - begin - 1);
}

std::string of_memory(const Symptoms& symptoms) {
  if (symptoms.out_of_memory) {
    return symptoms.memory_limit_bytes != 0
               ? fmt::format(
                     "out of memory: it wanted more than the {} that resources.memory "
                     "allows; ask for more, or use smaller batches",
                     shown_size(symptoms.memory_limit_bytes))
               : std::string("out of memory: the machine has no more; use smaller batches");
  }
  const std::string_view log = symptoms.log_tail;
  if (holds(log, "CUDA out of memory") || holds(log, "torch.OutOfMemoryError")) {
    return "the GPU's memory is used up: use smaller batches, or a larger GPU";
  }
  if (holds(log, "MemoryError") || holds(log, "std::bad_alloc") ||
      holds(log, "Cannot allocate memory")) {
    return "out of memory: use smaller batches, or ask for more with resources.memory";
  }
  if (symptoms.signal == 7 || holds(log, "Bus error") || holds(log, "insufficient shared memory")) {
    return fmt::format(
        "shared memory is used up ({} of it): ask for more with resources.shm_size, or use fewer "
        "workers in the data loader",
        shown_size(symptoms.shm_bytes));
  }
  if (symptoms.signal == 9 || symptoms.exit_code == 137) {
    return "killed from outside, most often because the machine's memory was used up";
  }
  return {};
}

std::string of_modules(std::string_view log) {
  if (const auto module = after_last(log, "No module named ")) {
    const std::string name(inside_quotes(*module));
    return fmt::format(
        "the Python module {} is not in the environment; add the package {} to its dependencies",
        printable(name), printable(package_of_module(name)));
  }
  if (const auto line = after_last(log, "cannot open shared object file")) {
    const std::string_view before = log.substr(0, log.rfind("cannot open shared object file"));
    const std::string_view last = before.substr(before.rfind('\n') + 1);
    for (const auto& [library, package] : kLibraries) {
      if (holds(last, library)) {
        return fmt::format(
            "the shared library {} is not in the image; add the Debian package {} under apt",
            library, package);
      }
    }
    return "a shared library is not in the image; the base image or a package under apt brings it";
  }
  return {};
}

std::string of_gpu(std::string_view log) {
  if (holds(log, "CUDA driver version is insufficient") ||
      holds(log, "driver on your system is too old")) {
    return "the machine's GPU driver is older than the CUDA of the environment: update the driver, "
           "or pin an older one (cuda-version=12.4)";
  }
  if (holds(log, "no kernel image is available for execution")) {
    return "the environment's CUDA was not built for this GPU: take another build of the package";
  }
  if (holds(log, "No CUDA GPUs are available") || holds(log, "Found no NVIDIA driver")) {
    return "the job has no GPU: ask for one with resources.gpus";
  }
  return {};
}

std::string of_files(const Symptoms& symptoms) {
  const std::string_view log = symptoms.log_tail;
  if (symptoms.disk_full || holds(log, "No space left on device")) {
    return "the disk is full: make room (cloche gc), then submit it again with cloche job rerun";
  }
  if (symptoms.exit_code == 127) {
    const auto shell = after_last(log, "sh: ");
    return fmt::format(
        "a command was not found in the image{}; add the package that has it to the environment",
        shell ? ": " + printable(trim(*shell)) : std::string());
  }
  if (symptoms.exit_code == 126) {
    return "a file of the command may not be executed: name its interpreter (bash x.sh, python "
           "x.py)";
  }
  if (const auto missing = after_last(log, "can't open file ")) {
    return fmt::format("the script {} is not in the code: paths are relative to the code folder",
                       printable(inside_quotes(*missing)));
  }
  if (const auto missing = after_last(log, "No such file or directory: ")) {
    return fmt::format(
        "{} is not there: code is in the working directory, data comes by inputs, and nothing else "
        "of this machine is seen by a job",
        printable(inside_quotes(*missing)));
  }
  return {};
}

}  // namespace

std::string package_of_module(std::string_view module) {
  std::string_view name = module;
  while (!name.empty()) {
    const auto* found = std::ranges::find(kPackages, name, &Pair::first);
    if (found != kPackages.end()) {
      return std::string(found->second);
    }
    const std::size_t point = name.rfind('.');
    name = point == std::string_view::npos ? std::string_view() : name.substr(0, point);
  }
  std::string first(module.substr(0, module.find('.')));
  std::ranges::replace(first, '_', '-');
  return to_lower(first);
}

std::string diagnose(const Symptoms& symptoms) {
  if (symptoms.signal == 4 || symptoms.exit_code == 132) {
    return "a program uses instructions that this processor does not have: take another build of "
           "the package";
  }
  if (symptoms.out_of_memory) {
    return of_memory(symptoms);
  }
  for (const std::string& found : {of_gpu(symptoms.log_tail), of_modules(symptoms.log_tail),
                                   of_files(symptoms), of_memory(symptoms)}) {
    if (!found.empty()) {
      return found;
    }
  }
  return {};
}

}  // namespace cloche::jobs
