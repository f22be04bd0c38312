#include "source/conda/provider_testing.h"

#include <algorithm>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/check.h"
#include "core/text.h"
#include "resolve/problem.h"
#include "source/conda/repodata_index_builder.h"

namespace cloche::source {

TestChannels::Subdir& TestChannels::subdir(const std::string& channel, const std::string& name) {
  for (Subdir& one : subdirs_) {
    if (one.channel == channel && one.subdir == name && one.bytes.empty()) {
      return one;
    }
  }
  subdirs_.push_back({channel, name, {}, {}});
  return subdirs_.back();
}

conda::PackageRecord& TestChannels::add(const std::string& package,
                                        std::vector<std::string> depends,
                                        std::vector<std::string> constrains,
                                        const std::string& channel, const std::string& name) {
  const auto words = split(package, ' ');
  CHECK(words.size() == 2 || words.size() == 3);
  auto record = std::make_unique<conda::PackageRecord>();
  record->name = words[0];
  record->version = words[1];
  record->build = words.size() == 3 ? words[2] : "0";
  record->file_name = distribution_name(*record) + ".conda";
  record->channel = "https://host/" + channel;
  record->subdir = name;
  record->depends = std::move(depends);
  record->constrains = std::move(constrains);
  Subdir& place = subdir(channel, name);
  place.records.push_back(std::move(record));
  return *place.records.back();
}

TestChannels& TestChannels::add_index(const std::string& channel, std::string bytes) {
  subdirs_.push_back({channel, "", {}, std::move(bytes)});
  return *this;
}

void TestChannels::shuffle(unsigned seed) {
  std::mt19937 random(seed);
  for (Subdir& one : subdirs_) {
    std::ranges::shuffle(one.records, random);
  }
}

std::unique_ptr<CondaProvider> TestChannels::provider() const {
  std::vector<ProviderChannel> channels;
  for (const Subdir& one : subdirs_) {
    auto place = std::ranges::find(channels, one.channel, &ProviderChannel::name);
    if (place == channels.end()) {
      channels.emplace_back();
      place = channels.end() - 1;
      place->name = one.channel;
      place->url = "https://host/" + one.channel;
    }
    if (!one.bytes.empty()) {
      place->subdirs.push_back(
          std::make_unique<IndexSource>(RepodataIndex::from_bytes(one.bytes).value()));
      continue;
    }
    RepodataIndexBuilder builder;
    builder.set_subdir(one.subdir);
    for (const auto& record : one.records) {
      builder.add(*record);
    }
    place->subdirs.push_back(std::make_unique<IndexSource>(std::move(builder).finish().value()));
  }
  return std::make_unique<CondaProvider>(std::move(channels), options);
}

Asked ask(CondaProvider& provider, const std::vector<std::string>& specs) {
  Asked out;
  for (const std::string& text : specs) {
    const auto spec = conda::parse_match_spec(text);
    EXPECT_TRUE(spec.has_value()) << text << ": " << (spec ? "" : spec.error().to_string());
    if (!spec) {
      continue;
    }
    const auto ids = provider.request(*spec);
    CHECK(ids.has_value());
    for (const resolve::RequirementId id : *ids) {
      out.request.requirements.push_back(id);
      out.relaxed.push_back(provider.relaxed(*spec).value());
    }
  }
  return out;
}

std::string solution_text(CondaProvider& provider, const std::vector<std::string>& specs) {
  const Asked asked = ask(provider, specs);
  const auto outcome = resolve::solve(provider, asked.request);
  CHECK(outcome.has_value());
  const auto* const solution = std::get_if<resolve::Solution>(&*outcome);
  if (solution == nullptr) {
    return "none";
  }
  const Status valid = resolve::check_solution(provider, asked.request, solution->solvables);
  if (!valid) {
    return valid.error().to_string();
  }
  std::vector<std::string> texts;
  for (const conda::PackageRecord& record : provider.records(*solution)) {
    texts.push_back(fmt::format("{} {} {}", record.name, record.version, record.build));
  }
  std::ranges::sort(texts);
  return join(texts, ", ");
}

std::string explanation(CondaProvider& provider, const std::vector<std::string>& specs) {
  const Asked asked = ask(provider, specs);
  const auto problem = resolve::explain(provider, asked.request, asked.relaxed);
  if (!problem) {
    return problem.error().to_string();
  }
  std::string out = to_text(*problem);
  for (const resolve::WayOut& way : problem->ways_out) {
    std::vector<std::string> changes;
    for (const resolve::Change& change : way.changes) {
      const std::string wanted = provider.to_string(asked.request.requirements[change.requirement]);
      changes.push_back(change.instead ? fmt::format("with {} instead of {}",
                                                     provider.to_string(*change.instead), wanted)
                                       : "without " + wanted);
    }
    out += fmt::format("works {}\n", join(changes, " and "));
  }
  return out;
}

}  // namespace cloche::source
