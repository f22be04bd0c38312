// Packages: conda files, requirements files and the arguments of RUN pip install.
#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/text.h"
#include "definition/lint/commands.h"
#include "definition/lint/packages.h"
#include "definition/lint/rules.h"

namespace cloche::definition {
namespace {

// --- pip's input, wherever it stands ----------------------------------------------------------

struct PipInput {
  struct Item {
    std::string text;
    Location at;
  };
  struct Option {
    std::string name;
    std::string value;
    Location at;
  };
  std::vector<Item> requirements;
  std::vector<Option> options;
};

PipInput input_of(const PackagesView& view) {
  PipInput input;
  if (view.pip != nullptr) {
    for (const PipLine& line : view.pip->lines) {
      if (line.kind == PipLine::Kind::kRequirement) {
        input.requirements.push_back({line.text, line.at});
      }
    }
    for (const NamedOption& option : pip_options(view)) {
      input.options.push_back({option.name, option.value, option.line->at});
    }
  }
  return input;
}

PipInput input_of(const PipInstall& install, const SourceFile& source) {
  PipInput input;
  for (const ShellWord* word : install.requirements) {
    input.requirements.push_back({word->text, source.location(word->begin)});
  }
  const Call& call = *install.call;
  for (const auto& value : call.values({"-e", "--editable"})) {
    input.requirements.push_back({value.text, source.location(value.word->begin)});
  }
  struct Names {
    std::string_view brief;
    std::string_view full;
  };
  for (const Names& names :
       {Names{"-i", "--index-url"}, Names{"--extra-index-url", "--extra-index-url"},
        Names{"-f", "--find-links"}, Names{"--trusted-host", "--trusted-host"}}) {
    const bool same = names.brief == names.full;
    for (const auto& value :
         same ? call.values({names.full}) : call.values({names.brief, names.full})) {
      input.options.push_back(
          {std::string(names.full), value.text, source.location(value.word->begin)});
    }
  }
  return input;
}

using PipCheck = void (*)(const PipInput&, Report&);

template <PipCheck check>
void on_packages(const PackagesView& view, Report& report) {
  check(input_of(view), report);
}

template <PipCheck check>
void on_runs(const DockerfileView& view, Report& report) {
  each_run(view, [&](const InstructionView& run) {
    for (const Call& call : run.calls) {
      if (const auto install = pip_install(call)) {
        check(input_of(*install, view.source()), report);
      }
    }
  });
}

bool is_commit(std::string_view reference) {
  return reference.size() >= 7 && reference.size() <= 64 &&
         std::ranges::all_of(reference, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

// The reference of "git+https://host/path@REF#egg=x"; "" when there is none.
std::string_view git_reference(std::string_view url) {
  url = url.substr(0, url.find_first_of("# ;", url.find("://") + 3));
  const std::size_t path = url.find('/', url.find("://") + 3);
  const std::size_t at = url.rfind('@');
  return at == std::string_view::npos || path == std::string_view::npos || at < path
             ? std::string_view()
             : url.substr(at + 1);
}

void check_vcs(const PipInput& input, Report& report) {
  for (const PipInput::Item& item : input.requirements) {
    const std::size_t at = item.text.find("git+");
    if (at == std::string::npos || item.text.find("://", at) == std::string::npos) {
      continue;
    }
    const std::string_view reference = git_reference(std::string_view(item.text).substr(at));
    if (!is_commit(reference) && reference.find('$') == std::string_view::npos) {
      report.add(item.at,
                 reference.empty()
                     ? "whatever the branch holds on that day is installed"
                     : std::string(reference) + " is a branch or a tag, which can move",
                 "name the commit: git+https://...@COMMIT");
    }
  }
}

bool is_local_host(std::string_view url) {
  return url.find("://localhost") != std::string_view::npos ||
         url.find("://127.") != std::string_view::npos || url == "localhost" ||
         url.starts_with("127.");
}

void check_plain_http(const PipInput& input, Report& report) {
  for (const PipInput::Option& option : input.options) {
    const bool index = option.name == "--index-url" || option.name == "--extra-index-url" ||
                       option.name == "--find-links";
    if (index && option.value.starts_with("http://") && !is_local_host(option.value)) {
      report.add(option.at, option.name + " without encryption", "use https");
    } else if (option.name == "--trusted-host" && !is_local_host(option.value)) {
      report.add(option.at, "--trusted-host turns the check of " + option.value + " off",
                 "give pip the certificate: --cert");
    }
  }
}

// Indexes that hold public packages under their own, public names.
bool is_public_index(std::string_view url) {
  static constexpr std::array<std::string_view, 4> kPublic = {
      "download.pytorch.org/", "://pypi.org/", "pypi.nvidia.com", "pypi.ngc.nvidia.com"};
  return std::ranges::any_of(
      kPublic, [&](std::string_view one) { return url.find(one) != std::string_view::npos; });
}

void check_extra_index(const PipInput& input, Report& report) {
  for (const PipInput::Option& option : input.options) {
    if (option.name == "--extra-index-url" && !is_public_index(option.value)) {
      report.add(option.at,
                 "a package of this index can be replaced by one of the same name on PyPI",
                 "use one --index-url that proxies PyPI, or pin with --hash");
    }
  }
}

// The CUDA build that the indexes offer; major 0: none of them tells, or there is none.
CudaVersion offered(const PipInput& input, bool& any) {
  CudaVersion version;
  for (const PipInput::Option& option : input.options) {
    const bool index = option.name == "--index-url" || option.name == "--extra-index-url" ||
                       option.name == "--find-links";
    any = any || index;
    const auto cuda = index ? cuda_of_wheel(option.value) : std::nullopt;
    version = cuda.value_or(version);
  }
  return version;
}

void check_torch_index(const PipInput& input, Report& report) {
  bool any_index = false;
  const CudaVersion index = offered(input, any_index);
  for (const PipInput::Item& item : input.requirements) {
    const std::size_t plus = item.text.find('+');
    const std::string name = requirement_name(item.text);
    const auto cuda = plus == std::string::npos || !is_torch(name)
                          ? std::nullopt
                          : cuda_of_wheel(std::string_view(item.text).substr(plus));
    if (!cuda) {
      continue;
    }
    if (!any_index) {
      report.add(item.at, item.text + " is not on PyPI, and no other index is named",
                 "add --index-url https://download.pytorch.org/whl/cu" +
                     std::to_string(cuda->major) + std::to_string(cuda->minor));
    } else if (index.major != 0 && index != *cuda) {
      report.add(item.at,
                 item.text + " is a build for CUDA " + cuda->to_string() +
                     ", the index has those for " + index.to_string(),
                 "let both name one CUDA version");
    }
  }
}

void check_repeated(const PackagesView& view, Report& report) {
  std::map<std::string, const NamedRequirement*> seen;
  const std::vector<NamedRequirement> requirements = pip_requirements(view);
  for (const NamedRequirement& one : requirements) {
    if (one.name.empty() || !one.requirement.marker.empty()) {
      continue;
    }
    const auto [first, added] = seen.emplace(one.name, &one);
    if (!added) {
      report.add(one.line->at,
                 one.name + " is required twice: also in line " +
                     std::to_string(first->second->line->at.line),
                 "keep one of them");
    }
  }
}

// --- conda
// ----------------------------------------------------------------------------------------

bool is_anaconda(std::string_view channel) {
  return channel == "defaults" || channel == "anaconda" || channel == "main" || channel == "r" ||
         channel == "pkgs/main" || channel == "pkgs/r" ||
         channel.find("repo.anaconda.com") != std::string_view::npos ||
         channel.find("conda.anaconda.org/anaconda") != std::string_view::npos;
}

bool is_conda_forge(std::string_view channel) {
  return channel == "conda-forge" || channel.ends_with("/conda-forge");
}

void check_mixed_channels(const PackagesView& view, Report& report) {
  if (view.conda == nullptr) {
    return;
  }
  const auto& channels = view.conda->channels;
  const auto anaconda =
      std::ranges::find_if(channels, [](const Line& c) { return is_anaconda(c.text); });
  const auto forge =
      std::ranges::find_if(channels, [](const Line& c) { return is_conda_forge(c.text); });
  if (anaconda == channels.end() || forge == channels.end() || anaconda->at.empty()) {
    return;
  }
  report.add(
      anaconda->at,
      anaconda < forge
          ? anaconda->text + " stands before conda-forge, so it wins where both have a package"
          : anaconda->text + " and conda-forge are mixed",
      "take conda-forge alone, and nodefaults");
}

void check_anaconda(const PackagesView& view, Report& report) {
  if (view.conda == nullptr) {
    return;
  }
  for (const Line& channel : view.conda->channels) {
    if (is_anaconda(channel.text) && !channel.at.empty()) {
      report.add(channel.at, "Anaconda's channels need a paid licence in larger organizations",
                 "conda-forge has nearly all of it, free for everybody");
    }
  }
}

void check_build_string(const PackagesView& view, Report& report) {
  for (const NamedSpec& one : conda_specs(view)) {
    const std::string& build = one.spec.build;
    if (!build.empty() && build.find('*') == std::string::npos && !build.starts_with('^') &&
        one.dependency->selector.empty()) {
      report.add(one.dependency->at, one.spec.name + " is tied to one build, " + build,
                 "leave the build out: " + one.spec.name + one.spec.version);
    }
  }
}

// Projects whose names differ between PyPI and conda-forge.
std::string pip_name(std::string_view conda_name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kNames = {
      {{"pytorch", "torch"},
       {"pytorch-cpu", "torch"},
       {"pytorch-gpu", "torch"},
       {"opencv", "opencv-python"},
       {"tensorflow-base", "tensorflow"},
       {"msgpack-python", "msgpack"}}};
  const auto* const found =
      std::ranges::find(kNames, conda_name, &std::pair<std::string_view, std::string_view>::first);
  return pypi::normal_name(found == kNames.end() ? conda_name : found->second);
}

void check_both(const PackagesView& view, Report& report) {
  std::map<std::string, const CondaDependency*> conda;
  const std::vector<NamedSpec> specs = conda_specs(view);
  for (const NamedSpec& one : specs) {
    conda.emplace(pip_name(one.spec.name), one.dependency);
  }
  for (const NamedRequirement& one : pip_requirements(view)) {
    const auto found = conda.find(one.name);
    if (!one.name.empty() && found != conda.end() && one.name != "pip" &&
        one.name != "setuptools" && one.name != "wheel") {
      report.add(one.line->at,
                 one.name + " is a conda dependency too: pip installs over conda's files",
                 "keep one of the two");
    }
  }
}

// The same in RUN lines: conda install numpy, then pip install numpy.
void check_both_in_runs(const DockerfileView& view, Report& report) {
  for (const StageView& stage : view.stages()) {
    std::map<std::string, std::string> conda;  // by pip's name: what was written
    for (const InstructionView* one : stage.instructions) {
      for (const Call& call : one->calls) {
        if (is_conda_install(call) && call.verb() != "env") {
          static constexpr std::array<std::string_view, 8> kValued = {
              "-n", "--name", "-p", "--prefix", "-c", "--channel", "-f", "--file"};
          for (const ShellWord* word : operands(call, kValued)) {
            const std::string_view name =
                std::string_view(word->text).substr(0, word->text.find_first_of("=<>!~ ["));
            conda.emplace(pip_name(name), word->text);
          }
        }
        const auto install = pip_install(call);
        for (const ShellWord* word :
             install ? install->requirements : std::vector<const ShellWord*>()) {
          const std::string name = requirement_name(word->text);
          if (!name.empty() && name != "pip" && name != "setuptools" && name != "wheel" &&
              conda.contains(name)) {
            report.add(word->begin,
                       name + " was installed by conda: pip installs over conda's files",
                       "keep one of the two");
          }
        }
      }
    }
  }
}

constexpr std::array<Rule, 9> kRules = {{
    {.info =
         {"vcs-without-commit", Severity::kWarning, "git+ without a commit",
          "A branch holds something else tomorrow, and a tag can be moved: only a commit is always "
          "the same code.",
          "peft @ git+https://github.com/huggingface/peft\n",
          "peft @ "
          "git+https://github.com/huggingface/peft@0123456789abcdef0123456789abcdef01234567\n",
          Format::kRequirementsTxt},
     .dockerfile = on_runs<check_vcs>,
     .packages = on_packages<check_vcs>},
    {.info =
         {"unencrypted-index", Severity::kWarning, "a package index without encryption",
          "Anybody on the way can put other code into the package: http has no proof of who sends, "
          "and --trusted-host switches the proof off.",
          "--index-url http://pypi.example.org/simple\nnumpy==2.1.0\n",
          "--index-url https://pypi.example.org/simple\nnumpy==2.1.0\n", Format::kRequirementsTxt},
     .dockerfile = on_runs<check_plain_http>,
     .packages = on_packages<check_plain_http>},
    {.info =
         {"extra-index-url", Severity::kWarning, "--extra-index-url beside PyPI",
          "pip takes the highest version from any index. Somebody who uploads a higher version of "
          "your private package's name to PyPI gets their code into your image (dependency "
          "confusion). Silent for indexes of public packages, such as PyTorch's.",
          "--extra-index-url https://pypi.example.org/simple\nour-tools==1.4\n",
          "--index-url https://pypi.example.org/simple\nour-tools==1.4\n",
          Format::kRequirementsTxt},
     .dockerfile = on_runs<check_extra_index>,
     .packages = on_packages<check_extra_index>},
    {.info =
         {"torch-cuda-index", Severity::kWarning,
          "a CUDA build of PyTorch that the index does not have",
          "Builds with +cuXXX are on PyTorch's own indexes only, one for each CUDA version; pip "
          "finds \"no matching distribution\".",
          "torch==2.1.0+cu121\n",
          "--extra-index-url https://download.pytorch.org/whl/cu121\ntorch==2.1.0+cu121\n",
          Format::kRequirementsTxt},
     .dockerfile = on_runs<check_torch_index>,
     .packages = on_packages<check_torch_index>},
    {.info =
         {"requirement-repeated", Severity::kWarning, "a pip package that is required twice",
          "pip refuses two requirements that differ (\"Double requirement given\"), and where they "
          "do not, the second is forgotten when the first is changed.",
          "numpy==2.1.0\npandas==2.2.3\nnumpy==2.0.2\n", "numpy==2.1.0\npandas==2.2.3\n",
          Format::kRequirementsTxt},
     .packages = check_repeated},
    {.info =
         {"package-in-conda-and-pip", Severity::kWarning, "one package from conda and from pip",
          "pip installs over conda's files, and conda does not know: the next solve, or an import "
          "of a library that was built against the other copy, breaks.",
          "name: x\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.12\n  - numpy=2.1\n  - "
          "pip=24.3\n  - pip:\n      - numpy==2.1.0\n",
          "name: x\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.12\n  - numpy=2.1\n  - "
          "pip=24.3\n  - pip:\n      - gradio==5.6.0\n",
          Format::kCondaYaml},
     .dockerfile = check_both_in_runs,
     .packages = check_both},
    {.info =
         {"channels-mixed", Severity::kWarning, "conda-forge together with Anaconda's channels",
          "The two build the same packages against different libraries. A mixture solves slowly "
          "and "
          "crashes in odd places; with strict priority, the first one hides the other's packages.",
          "name: x\nchannels:\n  - defaults\n  - conda-forge\ndependencies:\n  - python=3.12\n",
          "name: x\nchannels:\n  - conda-forge\n  - nodefaults\ndependencies:\n  - python=3.12\n",
          Format::kCondaYaml},
     .packages = check_mixed_channels},
    {.info = {"anaconda-channel", Severity::kNote, "a channel of the company Anaconda",
              "Its terms ask organizations of more than 200 people for a paid licence.",
              "name: x\nchannels:\n  - defaults\ndependencies:\n  - python=3.12\n",
              "name: x\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.12\n",
              Format::kCondaYaml},
     .packages = check_anaconda},
    {.info =
         {"build-string-pinned", Severity::kNote, "a dependency tied to one build",
          "A build string fits one platform and one set of libraries, and channels delete builds: "
          "the file works on no other system. The lock keeps builds; the definition need not.",
          "name: x\nchannels:\n  - conda-forge\ndependencies:\n  - "
          "python=3.12.7=hc5c86c4_0_cpython\n",
          "name: x\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.12.7\n",
          Format::kCondaYaml},
     .packages = check_build_string},
}};

}  // namespace

std::span<const Rule> package_rules() { return kRules; }

}  // namespace cloche::definition
