// FROM: which image a stage stands on, and what that means for CUDA.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/text.h"
#include "definition/lint/commands.h"
#include "definition/lint/packages.h"
#include "definition/lint/rules.h"

namespace cloche::definition {
namespace {

// Calls `check` with each stage that names an image of which the name is known, and the place.
template <class Check>
void each_base(const DockerfileView& view, Check check) {
  for (const StageView& stage : view.stages()) {
    if (!stage.parent && stage.base.known()) {
      check(stage, view.instructions()[stage.stage->first].text.offset(0));
    }
  }
}

const ImageBase* written_image(const PackagesView& view) {
  const auto* image = view.environment == nullptr
                          ? nullptr
                          : std::get_if<ImageBase>(&view.environment->definition.base);
  return image != nullptr && !image->at.empty() ? image : nullptr;
}

void check_tag(const DockerfileView& view, Report& report) {
  each_base(view, [&](const StageView& stage, std::size_t at) {
    const oci::Reference& reference = stage.base.reference;
    if (reference.tag.empty() && reference.digest.empty()) {
      report.add(at, "the base image " + stage.base.text + " has no tag and no digest",
                 "without one, latest is taken, which changes over time: add the tag you tested");
    }
  });
}

constexpr std::string_view kLatestHint = "name the version that you tested";

void check_latest(const DockerfileView& view, Report& report) {
  each_base(view, [&](const StageView& stage, std::size_t at) {
    if (stage.base.reference.tag == "latest" && stage.base.reference.digest.empty()) {
      report.add(at, "latest is another image next month", std::string(kLatestHint));
    }
  });
}

void check_latest_image(const PackagesView& view, Report& report) {
  if (const ImageBase* image = written_image(view)) {
    const BaseImage base = describe_image(image->reference);
    if (base.reference.tag == "latest" && base.reference.digest.empty()) {
      report.add(image->at, "latest is another image next month", std::string(kLatestHint));
    }
  }
}

std::string end_message(const EndOfLife& end) {
  return fmt::format("{} has had no security updates since {}", end.product, end.date);
}

std::vector<const EndOfLife*> ends_of(const BaseImage& image) {
  std::vector<const EndOfLife*> out;
  for (const std::string& product : {image.system, "python " + image.python}) {
    if (const EndOfLife* end = end_of_life(product)) {
      out.push_back(end);
    }
  }
  return out;
}

// conda create python=3.8
void check_installed_python(const Call& call, Report& report) {
  if (!is_conda_install(call)) {
    return;
  }
  for (const ShellWord& word : call.args) {
    const EndOfLife* end =
        word.text.starts_with("python=")
            ? end_of_life("python " + minor_version(std::string_view(word.text).substr(7)))
            : nullptr;
    if (end != nullptr) {
      report.add(word.begin, end_message(*end), "see " + std::string(end->source));
    }
  }
}

void check_end_of_life(const DockerfileView& view, Report& report) {
  each_base(view, [&](const StageView& stage, std::size_t at) {
    for (const EndOfLife* end : ends_of(stage.base)) {
      report.add(at, end_message(*end), "see " + std::string(end->source));
    }
  });
  each_run(view, [&](const InstructionView& run) {
    for (const Call& call : run.calls) {
      check_installed_python(call, report);
    }
  });
}

void check_end_of_life_packages(const PackagesView& view, Report& report) {
  if (const ImageBase* image = written_image(view)) {
    for (const EndOfLife* end : ends_of(describe_image(image->reference))) {
      report.add(image->at, end_message(*end), "see " + std::string(end->source));
    }
  }
  for (const NamedSpec& spec : conda_specs(view)) {
    if (spec.spec.name != "python") {
      continue;
    }
    if (const EndOfLife* end = end_of_life("python " + minor_version(spec.spec.version))) {
      report.add(spec.dependency->at, end_message(*end), "see " + std::string(end->source));
    }
  }
}

std::string_view withdrawn(const BaseImage& base) {
  return base.repository == "nvidia/cuda" && base.reference.digest.empty()
             ? withdrawn_cuda_tag(base.reference.tag)
             : std::string_view();
}

void check_withdrawn(const DockerfileView& view, Report& report) {
  each_base(view, [&](const StageView& stage, std::size_t at) {
    if (const std::string_view reason = withdrawn(stage.base); !reason.empty()) {
      report.add(at, std::string(reason), "take a supported tag: hub.docker.com/r/nvidia/cuda");
    }
  });
}

void check_withdrawn_image(const PackagesView& view, Report& report) {
  if (const ImageBase* image = written_image(view)) {
    if (const std::string_view reason = withdrawn(describe_image(image->reference));
        !reason.empty()) {
      report.add(image->at, std::string(reason),
                 "take a supported tag: hub.docker.com/r/nvidia/cuda");
    }
  }
}

bool has_tag_word(const BaseImage& base, std::string_view word) {
  return std::ranges::any_of(split(base.reference.tag, '-'),
                             [&](std::string_view part) { return part == word; });
}

// Whether the stage compiles something itself, so that the compiler has a use there.
bool compiles(const StageView& stage) {
  static constexpr std::array<std::string_view, 8> kBuilders = {"nvcc", "make", "cmake", "ninja",
                                                                "gcc",  "g++",  "bazel", "meson"};
  return std::ranges::any_of(stage.instructions, [](const InstructionView* one) {
    return std::ranges::any_of(one->calls, [](const Call& call) {
      return std::ranges::find(kBuilders, call.program) != kBuilders.end();
    });
  });
}

void check_devel(const DockerfileView& view, Report& report) {
  const StageView& last = view.final_stage();
  if (has_tag_word(last.base, "devel") && last.base.cuda) {
    report.add(view.instructions()[last.stage->first].text.offset(0),
               "the final image holds the CUDA compiler and headers",
               "build on devel, then COPY --from into a stage on the runtime image");
  }
}

// --- CUDA of the base and CUDA of the packages ------------------------------------------------

struct CudaUse {
  CudaVersion version;
  std::size_t at = 0;
  std::string what;  // "torch==2.1.0+cu121"
};

void add_pip_uses(const Call& call, std::vector<CudaUse>& out) {
  const auto install = pip_install(call);
  if (!install) {
    return;
  }
  bool told = false;
  for (const ShellWord* word : install->requirements) {
    const std::size_t plus = word->text.find('+');
    const auto cuda = plus != std::string::npos && !word->text.starts_with("git+")
                          ? cuda_of_wheel(word->text.substr(plus))
                          : std::nullopt;
    if (cuda && is_torch(requirement_name(word->text))) {
      out.push_back({*cuda, word->begin, word->text});
      told = true;
    }
  }
  const bool torch = std::ranges::any_of(install->requirements, [](const ShellWord* word) {
    return is_torch(requirement_name(word->text));
  });
  for (const auto& value :
       call.values({"-i", "--index-url", "--extra-index-url", "-f", "--find-links"})) {
    const auto cuda = cuda_of_wheel(value.text);
    if (cuda && torch && !told) {
      out.push_back({*cuda, value.word->begin, "PyTorch from " + value.text});
    }
  }
}

void add_conda_uses(const Call& call, std::vector<CudaUse>& out) {
  if (!is_conda_install(call)) {
    return;
  }
  for (const ShellWord& word : call.args) {
    for (const std::string_view name : {"cudatoolkit=", "pytorch-cuda="}) {
      const auto cuda = word.text.starts_with(name)
                            ? parse_cuda_version(std::string_view(word.text).substr(name.size()))
                            : std::nullopt;
      if (cuda) {
        out.push_back({*cuda, word.begin, word.text});
      }
    }
  }
}

std::vector<CudaUse> cuda_uses(const StageView& stage) {
  std::vector<CudaUse> out;
  for (const InstructionView* one : stage.instructions) {
    for (const Call& call : one->calls) {
      add_pip_uses(call, out);
      add_conda_uses(call, out);
    }
  }
  return out;
}

std::string mismatch_message(std::string_view what, const CudaVersion& packages,
                             const CudaVersion& base) {
  return fmt::format("{} is built for CUDA {}, the base image has CUDA {}", what,
                     packages.to_string(), base.to_string());
}

void check_mismatch(const DockerfileView& view, Report& report) {
  for (const StageView& stage : view.stages()) {
    if (!stage.base.cuda) {
      continue;
    }
    for (const CudaUse& use : cuda_uses(stage)) {
      if (use.version.major != stage.base.cuda->major) {
        report.add(use.at, mismatch_message(use.what, use.version, *stage.base.cuda),
                   "take the build for the base's CUDA, or a base without CUDA");
      }
    }
  }
}

void check_mismatch_packages(const PackagesView& view, Report& report) {
  const ImageBase* image = written_image(view);
  const auto base = image == nullptr ? std::nullopt : describe_image(image->reference).cuda;
  if (!base) {
    return;
  }
  for (const CudaPackage& package : cuda_packages(view)) {
    if (package.version.major != base->major) {
      report.add(package.at, mismatch_message(package.text, package.version, *base),
                 "take the build for the base's CUDA, or a base without CUDA");
    }
  }
}

// Wheels of PyPI that bring CUDA's libraries along: torch since 2.0 for Linux, and these extras.
bool brings_cuda(const Call& call, const ShellWord& word) {
  if (word.text.find("and-cuda") != std::string::npos || word.text.starts_with("jax[cuda")) {
    return true;
  }
  const bool cpu = word.text.find("+cpu") != std::string::npos ||
                   std::ranges::any_of(call.args, [](const ShellWord& arg) {
                     return arg.text.find("whl/cpu") != std::string::npos;
                   });
  return requirement_name(word.text) == "torch" && !cpu;
}

void check_twice(const DockerfileView& view, Report& report) {
  const StageView& last = view.final_stage();
  const bool libraries = has_tag_word(last.base, "runtime") || has_tag_word(last.base, "devel");
  if (last.base.repository != "nvidia/cuda" || !libraries || compiles(last)) {
    return;
  }
  for (const StageView* stage : view.lineage(last)) {
    for (const InstructionView* one : stage->instructions) {
      for (const Call& call : one->calls) {
        const auto install = pip_install(call);
        for (const ShellWord* word :
             install ? install->requirements : std::vector<const ShellWord*>()) {
          if (brings_cuda(call, *word)) {
            report.add(word->begin,
                       word->text + " brings CUDA's libraries; the base image has them too",
                       "start from the base flavour of the CUDA image, or from a python image");
            return;
          }
        }
      }
    }
  }
}

constexpr std::array<Rule, 7> kRules = {{
    {.info = {"image-without-tag", Severity::kWarning, "a base image without a tag or digest",
              "Without a tag, latest is taken: whatever its maker pushed last. The same definition "
              "then gives another image, and Azure warns of it too.",
              "FROM python\n", "FROM python:3.12-slim\n"},
     .dockerfile = check_tag},
    {.info = {"image-latest", Severity::kWarning, "a base image with the tag latest",
              "latest moves: a rebuild takes another Python or CUDA without a word.",
              "FROM python:latest\n", "FROM python:3.12-slim\n"},
     .dockerfile = check_latest,
     .packages = check_latest_image},
    {.info =
         {"end-of-life", Severity::kWarning, "a Python or a system that gets no security updates",
          "New holes stay open, package mirrors move away, and new releases of libraries no longer "
          "support it. Known: Python up to 3.9, Debian up to buster, Ubuntu up to 20.04 and the "
          "short-lived releases, CentOS.",
          "FROM python:3.8-slim-buster\n", "FROM python:3.12-slim-bookworm\n"},
     .dockerfile = check_end_of_life,
     .packages = check_end_of_life_packages},
    {.info = {"cuda-image-withdrawn", Severity::kWarning, "a CUDA image that NVIDIA has deleted",
              "NVIDIA deletes the tags of CUDA versions that have come to their end; a build from "
              "nothing then fails with \"manifest unknown\".",
              "FROM nvidia/cuda:10.2-cudnn7-devel-ubuntu18.04\n",
              "FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04\n"},
     .dockerfile = check_withdrawn,
     .packages = check_withdrawn_image},
    {.info = {"cuda-devel-in-final-stage", Severity::kNote, "a devel image as the final stage",
              "The devel images are 3 to 5 GB larger than the runtime ones: compiler, headers and "
              "static libraries, which running needs only where kernels are compiled on the fly.",
              "FROM nvidia/cuda:12.4.1-devel-ubuntu22.04\nCOPY train.py /app/\n",
              "FROM nvidia/cuda:12.4.1-devel-ubuntu22.04 AS build\nRUN nvcc --version > /v\nFROM "
              "nvidia/cuda:12.4.1-runtime-ubuntu22.04\nCOPY --from=build /v /v\n"},
     .dockerfile = check_devel},
    {.info =
         {"cuda-mismatch", Severity::kWarning,
          "packages built for another CUDA than that of the base image",
          "Extensions that are compiled in the image fail (\"the detected CUDA version mismatches "
          "the version that was used to compile PyTorch\"), and libraries of two major versions "
          "meet in one process.",
          "FROM nvidia/cuda:11.8.0-runtime-ubuntu22.04\nRUN apt-get update && apt-get install -y "
          "--no-install-recommends python3-pip && rm -rf /var/lib/apt/lists/*\nRUN pip install "
          "--no-cache-dir torch==2.1.0 --index-url https://download.pytorch.org/whl/cu121\n",
          "FROM nvidia/cuda:12.1.1-base-ubuntu22.04\nRUN apt-get update && apt-get install -y "
          "--no-install-recommends python3-pip && rm -rf /var/lib/apt/lists/*\nRUN pip install "
          "--no-cache-dir torch==2.1.0 --index-url https://download.pytorch.org/whl/cu121\n"},
     .dockerfile = check_mismatch,
     .packages = check_mismatch_packages},
    {.info =
         {"cuda-twice", Severity::kNote, "CUDA's libraries in the base image and in the wheels",
          "The wheels of PyTorch carry the CUDA libraries that they use. On a runtime image they "
          "are there twice: 2 to 3 GB that nothing loads.",
          "FROM nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04\nRUN apt-get update && apt-get "
          "install -y --no-install-recommends python3-pip && rm -rf /var/lib/apt/lists/*\nRUN pip "
          "install --no-cache-dir torch==2.4.0\n",
          "FROM nvidia/cuda:12.4.1-base-ubuntu22.04\nRUN apt-get update && apt-get install -y "
          "--no-install-recommends python3-pip && rm -rf /var/lib/apt/lists/*\nRUN pip install "
          "--no-cache-dir torch==2.4.0\n"},
     .dockerfile = check_twice},
}};

}  // namespace

std::span<const Rule> base_rules() { return kRules; }

}  // namespace cloche::definition
