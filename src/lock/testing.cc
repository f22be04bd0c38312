#include "lock/testing.h"

#include <utility>

#include "core/digest.h"

namespace cloche::lock {
namespace {

std::string hex_of(const std::string& seed, std::size_t digits) {
  return Digest::of(seed).hex().substr(0, digits);
}

// Texts out of pieces that YAML, JSON and URLs find hard.
rc::Gen<std::string> odd_text() {
  static const std::vector<std::string> kPieces = {
      "a", "1.10", " ", ":", "#", "'", "\"", "-", "yes", "~", "=", ">", "|", "\\n", "é", "{", "\n"};
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(kPieces)),
                      [](const std::vector<std::string>& pieces) {
                        std::string out;
                        for (const std::string& piece : pieces) {
                          out += piece;
                        }
                        return out;
                      });
}

rc::Gen<std::vector<std::string>> odd_texts() {
  return rc::gen::resize(8, rc::gen::container<std::vector<std::string>>(odd_text()));
}

std::string one_of(const std::vector<std::string>& words) { return *rc::gen::elementOf(words); }

CondaPackage any_conda_package(const std::string& name) {
  CondaPackage out;
  out.record = sample_record(name, one_of({"1.10", "1!2", "0.0.1_", "2024", "1e3", "3.0+local"}),
                             *odd_texts(), one_of({"0", "py311h64a7726_0", "1e3", "no"}));
  conda::PackageRecord& r = out.record;
  r.build_number = *rc::gen::inRange(0, 2000);
  r.constrains = *odd_texts();
  r.track_features = *odd_texts();
  r.flags = *odd_texts();
  if (*rc::gen::arbitrary<bool>()) {
    r.extra_depends["all"] = *odd_texts();
  }
  r.noarch =
      *rc::gen::element(conda::Noarch::kNone, conda::Noarch::kGeneric, conda::Noarch::kPython);
  r.license = *odd_text();
  r.license_family = *odd_text();
  r.python_site_packages_path = one_of({"", "lib/python3.13t/site-packages"});
  r.timestamp_ms = *rc::gen::inRange<std::int64_t>(0, 2'000'000'000'000);
  if (*rc::gen::arbitrary<bool>()) {
    r.file_name = one_of({"", "other.conda"});
  }
  out.reason = {*odd_texts(), *odd_texts()};
  out.incomplete = *rc::gen::arbitrary<bool>();
  return out;
}

PypiPackage any_pypi_package(const std::string& name) {
  PypiPackage out;
  out.name = name;
  out.version = one_of({"1.0", "2.0.post1"});
  out.url = "https://files.example.org/" + name + ".whl";
  out.sha256 = one_of({"", hex_of(name, 64)});
  out.md5 = one_of({"", hex_of(name, 32)});
  out.size_bytes = *rc::gen::inRange<std::uint64_t>(0, 1'000'000);
  out.requires_dist = *odd_texts();
  out.requires_python = one_of({"", ">=3.9"});
  return out;
}

DebianPackage any_debian_package(const std::string& name) {
  DebianPackage out;
  out.name = name;
  out.version = one_of({"1.0-1", "1:2.0~rc1", "0"});
  out.architecture = one_of({"amd64", "all"});
  out.source = one_of({"", "src", "src (1.0)"});
  out.url = "http://deb.example.org/pool/" + name + ".deb";
  out.sha256 = one_of({"", hex_of(name, 64)});
  out.size_bytes = *rc::gen::inRange<std::uint64_t>(0, 1'000'000);
  out.pre_depends = *odd_texts();
  out.depends = *odd_texts();
  out.provides = *odd_texts();
  out.reason = {*odd_texts(), *odd_texts()};
  return out;
}

DebianArchive any_debian_archive() {
  return {.uri = "http://deb.example.org/debian",
          .suite = one_of({"bookworm", "sid"}),
          .components = *odd_texts(),
          .date = one_of({"", "2026-07-11T10:16:37Z"}),
          .sha256 = one_of({"", hex_of("y", 64)})};
}

}  // namespace

conda::PackageRecord sample_record(const std::string& name, const std::string& version,
                                   std::vector<std::string> depends, const std::string& build) {
  conda::PackageRecord out;
  out.name = name;
  out.version = version;
  out.build = build;
  out.channel = "https://conda.anaconda.org/conda-forge";
  out.subdir = "linux-64";
  out.file_name = name + "-" + version + "-" + build + ".conda";
  out.url = out.channel + "/" + out.subdir + "/" + out.file_name;
  out.size_bytes = 1000 + name.size();
  out.sha256 = hex_of(out.file_name, 64);
  out.md5 = hex_of(out.file_name, 32);
  out.depends = std::move(depends);
  out.timestamp_ms = 1'700'000'000'000;
  return out;
}

Lock sample_lock() {
  Lock out;
  out.fingerprint = hex_of("sample", 32);
  out.virtual_packages = {{"__glibc", "2.36", "0"}, {"__linux", "5.10", "0"}, {"__unix", "0", "0"}};
  out.base_image = BaseImage{"ubuntu:22.04", ""};
  out.conda.channels = {{"conda-forge", "https://conda.anaconda.org/conda-forge"}};
  out.conda.requested = {"python=3.11", "requests"};
  conda::PackageRecord requests =
      sample_record("requests", "2.32.3", {"certifi >=2017.4.17", "python >=3.8"}, "pyhd8ed1ab_1");
  requests.noarch = conda::Noarch::kPython;
  requests.subdir = "noarch";
  requests.url = requests.channel + "/noarch/" + requests.file_name;
  requests.license = "Apache-2.0";
  conda::PackageRecord certifi =
      sample_record("certifi", "2024.8.30", {"python >=3.7"}, "pyhd8ed1ab_0");
  certifi.noarch = conda::Noarch::kPython;
  certifi.subdir = "noarch";
  certifi.url = certifi.channel + "/noarch/" + certifi.file_name;
  certifi.license = "ISC";
  conda::PackageRecord python = sample_record(
      "python", "3.11.10", {"__glibc >=2.17", "openssl >=3.3.2,<4.0a0"}, "hc5c86c4_3_cpython");
  python.build_number = 3;
  python.constrains = {"python_abi 3.11.* *_cp311"};
  python.license = "Python-2.0";
  conda::PackageRecord openssl =
      sample_record("openssl", "3.4.0", {"__glibc >=2.17,<3.0.a0"}, "hb9d3cd8_0");
  openssl.license = "Apache-2.0";
  for (conda::PackageRecord* record : {&requests, &certifi, &python, &openssl}) {
    out.conda.packages.push_back({.record = std::move(*record)});
  }
  out.pypi.requirements = {"torch==2.3.1"};
  out.pypi.constraints = {"urllib3<2"};
  sort(out);
  set_reasons(out);
  return out;
}

rc::Gen<Lock> any_lock() {
  return rc::gen::exec([] {
    Lock out = sample_lock();
    out.conda.packages.clear();
    out.fingerprint = one_of({"", hex_of("x", 32)});
    out.conda.requested = *odd_texts();
    out.conda.channel_priority = *rc::gen::element(
        ChannelPriority::kStrict, ChannelPriority::kFlexible, ChannelPriority::kDisabled);
    if (*rc::gen::arbitrary<bool>()) {
      out.base_image = BaseImage{*odd_text(), one_of({"", Digest::of("x").to_string()})};
    }
    std::vector<std::string> names = {"python", "null", "yes", "1e3", "r-base", "_libgcc_mutex"};
    std::erase_if(names, [](const std::string&) { return *rc::gen::arbitrary<bool>(); });
    for (const std::string& name : names) {
      out.conda.packages.push_back(any_conda_package(name));
      out.pypi.packages.push_back(any_pypi_package(name));
      out.debian.packages.push_back(any_debian_package(name));
    }
    out.pypi.locked = *rc::gen::arbitrary<bool>();
    out.pypi.requirements = *odd_texts();
    out.pypi.constraints = *odd_texts();
    out.pypi.options = *odd_texts();
    out.debian.requirements = *odd_texts();
    out.debian.locked = *rc::gen::arbitrary<bool>();
    out.debian.distribution = one_of({"", "debian"});
    out.debian.codename = one_of({"", "bookworm"});
    out.debian.architecture = one_of({"", "amd64"});
    out.debian.archives.push_back(any_debian_archive());
    out.debian.removes = *odd_texts();
    sort(out);
    return out;
  });
}

}  // namespace cloche::lock
