#include "definition/lint/base_images.h"

#include <algorithm>
#include <array>

#include "core/ascii.h"
#include "core/text.h"

namespace cloche::definition {
namespace {

// --- ends of life -----------------------------------------------------------------------------
// Dates are those of the last security update that everybody gets. Only what had ended when this
// table was last looked at (2025-12) is in it: no clock is asked, so a report never changes by
// itself.
constexpr std::string_view kPythonSource = "https://devguide.python.org/versions/";
constexpr std::string_view kDebianSource = "https://wiki.debian.org/LTS";
constexpr std::string_view kUbuntuSource = "https://ubuntu.com/about/release-cycle";
constexpr std::string_view kCentosSource = "https://www.centos.org/cl-vs-cs/#end-of-life";

constexpr std::array<EndOfLife, 22> kEnds = {{
    {"python 2.7", "2020-01-01", kPythonSource},    {"python 3.4", "2019-03-18", kPythonSource},
    {"python 3.5", "2020-09-30", kPythonSource},    {"python 3.6", "2021-12-23", kPythonSource},
    {"python 3.7", "2023-06-27", kPythonSource},    {"python 3.8", "2024-10-07", kPythonSource},
    {"python 3.9", "2025-10-31", kPythonSource},    {"debian wheezy", "2018-05-31", kDebianSource},
    {"debian jessie", "2020-06-30", kDebianSource}, {"debian stretch", "2022-06-30", kDebianSource},
    {"debian buster", "2024-06-30", kDebianSource}, {"ubuntu 12.04", "2017-04-28", kUbuntuSource},
    {"ubuntu 14.04", "2019-04-25", kUbuntuSource},  {"ubuntu 16.04", "2021-04-30", kUbuntuSource},
    {"ubuntu 18.04", "2023-05-31", kUbuntuSource},  {"ubuntu 20.04", "2025-05-31", kUbuntuSource},
    {"ubuntu 21.04", "2022-01-20", kUbuntuSource},  {"ubuntu 21.10", "2022-07-14", kUbuntuSource},
    {"ubuntu 23.04", "2024-01-25", kUbuntuSource},  {"ubuntu 23.10", "2024-07-11", kUbuntuSource},
    {"centos 7", "2024-06-30", kCentosSource},      {"centos 8", "2021-12-31", kCentosSource},
}};

// Names that tags have for systems, as whole words of the tag.
struct SystemWord {
  std::string_view word;
  std::string_view system;
};
constexpr std::array<SystemWord, 14> kSystemWords = {{
    {"wheezy", "debian wheezy"},
    {"jessie", "debian jessie"},
    {"stretch", "debian stretch"},
    {"buster", "debian buster"},
    {"bullseye", "debian bullseye"},
    {"bookworm", "debian bookworm"},
    {"trixie", "debian trixie"},
    {"trusty", "ubuntu 14.04"},
    {"xenial", "ubuntu 16.04"},
    {"bionic", "ubuntu 18.04"},
    {"focal", "ubuntu 20.04"},
    {"jammy", "ubuntu 22.04"},
    {"noble", "ubuntu 24.04"},
    {"centos7", "centos 7"},
}};
constexpr std::array<SystemWord, 7> kDebianNumbers = {{{"7", "debian wheezy"},
                                                       {"8", "debian jessie"},
                                                       {"9", "debian stretch"},
                                                       {"10", "debian buster"},
                                                       {"11", "debian bullseye"},
                                                       {"12", "debian bookworm"},
                                                       {"13", "debian trixie"}}};

template <std::size_t N>
std::string_view system_of(const std::array<SystemWord, N>& table, std::string_view word) {
  const auto* const found = std::ranges::find(table, word, &SystemWord::word);
  return found == table.end() ? std::string_view() : found->system;
}

// --- what images are known to ship ------------------------------------------------------------
struct KnownImage {
  std::string_view repository;  // "library/python"; a final '*' stands for anything
  std::optional<bool> python;
  std::optional<bool> conda;
  std::optional<bool> root;
};
constexpr std::array<KnownImage, 21> kImages = {{
    {"library/python", true, false, true},
    {"library/debian", false, false, true},
    {"library/ubuntu", false, false, true},
    {"library/alpine", false, false, true},
    {"library/busybox", false, false, true},
    {"nvidia/cuda", false, false, true},
    {"pytorch/pytorch", true, std::nullopt, true},
    {"tensorflow/tensorflow", true, false, true},
    {"continuumio/miniconda3", true, true, true},
    {"continuumio/anaconda3", true, true, true},
    {"conda/miniconda3", true, true, true},
    {"condaforge/*", true, true, true},
    {"mambaorg/micromamba", std::nullopt, std::nullopt, false},
    {"jupyter/*", true, true, false},
    {"azureml/openmpi*", true, true, true},
    {"azureml/intelmpi*", true, true, true},
    {"azureml/minimal-*", true, true, false},
    {"azureml/*", true, std::nullopt, std::nullopt},
    {"bitnami/*", std::nullopt, std::nullopt, false},
    {"library/node", std::nullopt, false, true},
    {"library/golang", std::nullopt, false, true},
}};

const KnownImage* known_image(std::string_view repository) {
  const auto* const found = std::ranges::find_if(kImages, [&](const KnownImage& image) {
    return image.repository.ends_with('*')
               ? repository.starts_with(image.repository.substr(0, image.repository.size() - 1))
               : repository == image.repository;
  });
  return found == kImages.end() ? nullptr : found;
}

// --- reading names ------------------------------------------------------------------------------
std::string take_digits(std::string_view text) {
  std::size_t n = 0;
  while (n < text.size() && is_digit(text[n])) {
    ++n;
  }
  return std::string(text.substr(0, n));
}

// "3.8" of "3.8.5-slim"; "" when there are no two numbers in front.
std::string leading_minor(std::string_view tag) {
  const std::string major = take_digits(tag);
  if (major.empty() || tag.size() <= major.size() || tag[major.size()] != '.') {
    return "";
  }
  const std::string minor = take_digits(tag.substr(major.size() + 1));
  return minor.empty() ? "" : major + "." + minor;
}

// "py38", "py3.8", "python3.8", "python-3.8" as a part of a name.
std::string python_in_name(std::string_view name) {
  for (std::size_t i = name.find("py"); i != std::string_view::npos; i = name.find("py", i + 1)) {
    std::string_view rest = name.substr(i + 2);
    if (rest.starts_with("thon")) {
      rest.remove_prefix(4);
    }
    if (!rest.empty() && (rest[0] == '-' || rest[0] == ':' || rest[0] == '_')) {
      rest.remove_prefix(1);
    }
    if (!rest.starts_with('3') || (i > 0 && name[i - 1] >= 'a' && name[i - 1] <= 'z')) {
      continue;
    }
    rest.remove_prefix(rest.size() > 1 && rest[1] == '.' ? 2 : 1);
    const std::string minor = take_digits(rest);
    if (!minor.empty() && minor.size() <= 2) {
      return "3." + minor;
    }
  }
  return "";
}

// "ubuntu18.04", "ubuntu1804", "ubuntu-18.04" as a part of a name.
std::string ubuntu_in_name(std::string_view name) {
  const std::size_t at = name.find("ubuntu");
  if (at == std::string_view::npos) {
    return "";
  }
  std::string_view rest = name.substr(at + 6);
  if (!rest.empty() && (rest[0] == '-' || rest[0] == ':' || rest[0] == '_')) {
    rest.remove_prefix(1);
  }
  const std::string digits = take_digits(rest);
  if (digits.size() == 4) {
    return "ubuntu " + digits.substr(0, 2) + "." + digits.substr(2);
  }
  const std::string release = leading_minor(rest);
  return release.empty() ? "" : "ubuntu " + release;
}

std::string system_of_image(const BaseImage& image) {
  const std::string& tag = image.reference.tag;
  const std::string name = image.repository + ":" + tag;
  if (std::string ubuntu = ubuntu_in_name(name); !ubuntu.empty()) {
    return ubuntu;
  }
  std::string word;
  for (const char c : name + "-") {
    if (c != '-' && c != ':' && c != '/' && c != '_' && c != '.') {
      word.push_back(c);
      continue;
    }
    if (const std::string_view system = system_of(kSystemWords, word); !system.empty()) {
      return std::string(system);
    }
    word.clear();
  }
  if (image.repository == "library/debian") {
    return std::string(system_of(kDebianNumbers, take_digits(tag)));
  }
  if (image.repository == "library/centos") {
    return "centos " + take_digits(tag);
  }
  return "";
}

std::string python_of_image(const BaseImage& image) {
  const std::string& tag = image.reference.tag;
  return image.repository == "library/python" ? leading_minor(tag)
                                              : python_in_name(image.repository + ":" + tag);
}

std::optional<CudaVersion> cuda_of_image(const BaseImage& image) {
  const std::string& tag = image.reference.tag;
  return image.repository == "nvidia/cuda" ? parse_cuda_version(tag)
                                           : cuda_in_name(image.repository + ":" + tag);
}

}  // namespace

BaseImage describe_image(std::string_view text) {
  BaseImage image;
  image.text = std::string(text);
  image.scratch = text == "scratch";
  if (text.empty() || image.scratch || text.find_first_of("${") != std::string_view::npos) {
    return image;
  }
  auto reference = oci::parse_reference(text);
  if (!reference.has_value()) {
    return image;
  }
  image.reference = std::move(*reference);
  image.repository = image.reference.repository;
  const std::string& registry = image.reference.registry;
  // Elsewhere "library/python" or "nvidia/cuda" may be anything.
  const bool well_known = registry == "docker.io" || registry == "nvcr.io" ||
                          registry == "mcr.microsoft.com" || registry == "quay.io";
  image.system = system_of_image(image);
  image.python = python_of_image(image);
  image.cuda = cuda_of_image(image);
  if (const KnownImage* known = well_known ? known_image(image.repository) : nullptr) {
    image.has_python = known->python;
    image.has_conda = known->conda;
    image.root = known->root;
  }
  return image;
}

const EndOfLife* end_of_life(std::string_view product) {
  const auto* const found = std::ranges::find(kEnds, product, &EndOfLife::product);
  return found == kEnds.end() ? nullptr : found;
}

// NVIDIA, container-images/cuda, doc/unsupported-tags.md, and the notice of 2023-06 on Docker Hub
// (quoted in NVIDIA/cudf-spark-examples#311): these versions' tags are deleted; the tag `latest`
// went in 2021, and so did tags without a patch version ("11.0-base", NVIDIA/nvidia-docker#1735).
std::string_view withdrawn_cuda_tag(std::string_view tag) {
  static constexpr std::array<std::string_view, 11> kDeleted = {
      "11.2.0", "11.2.1", "11.3.0", "11.4.0", "11.4.1", "11.4.2",
      "11.5.0", "11.5.1", "11.6.0", "11.6.1", "11.7.0"};
  if (tag == "latest" || tag.empty()) {
    return "nvidia/cuda has had no tag latest since 2021";
  }
  const std::string_view version = tag.substr(0, tag.find('-'));
  const auto cuda = parse_cuda_version(version);
  if (!cuda || !is_digit(tag[0])) {
    return "";
  }
  if (cuda->major < 11 || std::ranges::find(kDeleted, version) != kDeleted.end()) {
    return "NVIDIA deleted the tags of this version in 2023";
  }
  const bool without_patch = std::ranges::count(version, '.') == 1;
  return cuda->major == 11 && without_patch ? "NVIDIA deleted the tags without a patch version"
                                            : "";
}

}  // namespace cloche::definition
