#include "source/debian/solve_testing.h"

#include <utility>

#include <fmt/format.h>

#include "core/check.h"
#include "resolve/problem.h"

namespace cloche::source {
namespace {

PackageIndex index_of(const std::string& text, ParagraphsOf kind) {
  auto bytes = make_package_index(text, kind);
  CHECK(bytes.has_value());
  return std::move(*PackageIndex::from_bytes(std::move(*bytes)));
}

std::string paragraph(const std::string& name, const std::string& version,
                      const std::string& fields) {
  return fmt::format("Package: {}\nVersion: {}\nArchitecture: amd64\n{}\n", name, version, fields);
}

}  // namespace

SmallArchive& SmallArchive::add(const std::string& name, const std::string& version,
                                const std::string& fields) {
  sources_.back().packages += paragraph(
      name, version, fields + fmt::format("Filename: pool/{}_{}_amd64.deb\n", name, version));
  return *this;
}

void SmallArchive::next_source(const std::string& suite, int priority) {
  sources_.push_back({"", suite, priority});
}

SmallArchive& SmallArchive::install(const std::string& name, const std::string& version,
                                    const std::string& fields) {
  status_ += paragraph(name, version, "Status: install ok installed\n" + fields);
  return *this;
}

void SmallArchive::favour(const std::string& name, const std::string& version) {
  favoured_.emplace_back();
  favoured_.back().name = name;
  favoured_.back().version = version;
}

std::vector<std::string> SmallArchive::solve(const std::vector<std::string>& asked) const {
  DebianRequest request;
  for (const std::string& one : asked) {
    auto requirement = debian::parse_requirement(one);
    CHECK(requirement.has_value());
    request.packages.push_back({std::move(*requirement), {}});
  }
  return solve(request);
}

std::vector<std::string> SmallArchive::solve(const DebianRequest& request) const {
  std::vector<PackageSource> sources;
  for (const Source& one : sources_) {
    PackageSource source;
    source.index = index_of(one.packages, ParagraphsOf::kPackages);
    source.uri = "http://deb.example.org/debian";
    source.suite = one.suite;
    source.codename = one.suite;
    source.component = "main";
    source.priority = one.priority;
    sources.push_back(std::move(source));
  }
  const PackageIndex installed = index_of(status_, ParagraphsOf::kStatus);
  PackageUniverse universe(sources, &installed, {.favoured = favoured_});
  DebianProvider provider(universe);
  auto outcome = source::solve(provider, request);
  if (!outcome) {
    return {outcome.error().to_string()};
  }
  std::vector<std::string> out;
  if (const auto* const problem = std::get_if<DebianProblem>(&*outcome)) {
    return {"Conflict: " + resolve::to_text(problem->problem)};
  }
  const auto& solution = std::get<DebianSolution>(*outcome);
  for (const debian::PackageRecord& one : solution.packages) {
    out.push_back(one.name + "=" + one.version);
  }
  for (const std::string& one : solution.removed) {
    out.push_back("-" + one);
  }
  return out;
}

}  // namespace cloche::source
