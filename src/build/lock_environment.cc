#include "build/lock_environment.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "build/conflict.h"
#include "build/debian_base.h"
#include "build/lock_debian.h"
#include "core/text.h"
#include "lock/check.h"
#include "package/conda/match_spec.h"
#include "package/conda/selector.h"
#include "resolve/problem.h"
#include "source/conda/channel_index.h"
#include "source/conda/provider.h"

namespace cloche::build {

namespace {

struct Spec {
  conda::MatchSpec spec;
  Asked asked;
};

// The dependencies that count on the platform, in their order.
Result<std::vector<Spec>> read_specs(const definition::CondaSection& conda,
                                     const std::string& platform) {
  std::vector<Spec> out;
  for (const definition::CondaDependency& one : conda.dependencies) {
    if (!conda::selector_matches(one.selector, platform)) {
      continue;
    }
    auto spec = conda::parse_match_spec(one.text);
    if (!spec) {
      return std::move(spec.error()).with_location(one.at);
    }
    std::string name = spec->name;
    out.push_back({std::move(*spec), {one.text, std::move(name), one.at}});
  }
  return out;
}

// pip's part needs pip, which conda adds as well (conda: cli/main_env_create.py).
void add_pip(const definition::Definition& definition, std::vector<Spec>& specs) {
  const auto is_pip = [](const Spec& one) { return one.spec.name == "pip"; };
  if (definition.pip && !definition.pip->lines.empty() && !std::ranges::any_of(specs, is_pip)) {
    conda::MatchSpec pip;
    pip.name = "pip";
    specs.push_back({pip, {"pip", "pip", {}}});
  }
}

Status check_platform(const definition::CondaSection& conda, const std::string& platform) {
  if (conda.platforms.empty() ||
      std::ranges::find(conda.platforms, platform) != conda.platforms.end()) {
    return {};
  }
  return fail(ErrorKind::kInvalid, "the definition is for {}, not for {}",
              join(conda.platforms, ", "), platform)
      .with_hint("choose one of them with --platform, or add this one to the file's platforms");
}

// The channels that specs name besides those of the list.
Result<std::vector<source::Channel>> named_channels(const std::vector<Spec>& specs,
                                                    const std::vector<source::Channel>& listed,
                                                    const Channels& channels) {
  std::vector<source::Channel> out;
  for (const Spec& one : specs) {
    const std::string& name = one.spec.channel;
    const auto is_it = [&](const source::Channel& channel) { return channel.is_called(name); };
    if (name.empty() || std::ranges::any_of(listed, is_it) || std::ranges::any_of(out, is_it)) {
      continue;
    }
    auto more = source::resolve_channels(std::span(&name, 1), channels.settings,
                                         channels.surroundings, channels.credentials);
    if (!more) {
      return std::move(more.error()).with_location(one.asked.at);
    }
    out.insert(out.end(), more->begin(), more->end());
  }
  return out;
}

// A channel that cannot be used is said with the line that names it.
Result<std::vector<source::Channel>> listed_channels(const definition::CondaSection& conda,
                                                     const Channels& channels) {
  std::vector<source::Channel> out;
  for (const definition::Line& line : conda.channels) {
    auto some = source::resolve_channels(std::span(&line.text, 1), channels.settings,
                                         channels.surroundings, channels.credentials);
    if (!some) {
      return std::move(some.error()).with_location(line.at);
    }
    for (source::Channel& channel : *some) {
      if (std::ranges::find(out, channel.url, &source::Channel::url) == out.end()) {
        out.push_back(std::move(channel));
      }
    }
  }
  return out;
}

std::vector<conda::PackageRecord> favoured(const LockRequest& request) {
  std::vector<conda::PackageRecord> out;
  if (request.previous == nullptr) {
    return out;
  }
  for (const lock::CondaPackage& one : request.previous->conda.packages) {
    if (std::ranges::find(request.upgrade, one.record.name) == request.upgrade.end()) {
      out.push_back(one.record);
    }
  }
  return out;
}

// Names that no channel has are said at once, with their lines, and what was meant.
Status check_names(const std::vector<Spec>& specs, source::CondaProvider& provider,
                   const LockRequest& request) {
  for (const Spec& one : specs) {
    if (one.spec.name.find_first_of("*^") != std::string::npos || one.spec.name.starts_with("__") ||
        TRY(provider.knows(one.spec.name))) {
      continue;
    }
    const std::vector<std::string> nearest = provider.nearest_names(one.spec.name);
    return fail(ErrorKind::kNotFound, "no channel has a package '{}' for {}",
                printable(one.spec.name), request.platform)
        .with_location(one.asked.at)
        .with_hint(nearest.empty()
                       ? "look for its name at https://anaconda.org, or add the channel "
                         "that has it"
                       : fmt::format("did you mean {}?", join(nearest, " or ")));
  }
  return {};
}

struct Question {
  resolve::Request request;
  std::vector<resolve::RequirementId> relaxed;
  std::vector<Asked> asked;  // beside request.requirements
};

Result<Question> ask(const std::vector<Spec>& specs, source::CondaProvider& provider) {
  Question out;
  for (const Spec& one : specs) {
    const auto requirements = TRY(provider.request(one.spec));
    for (const resolve::RequirementId id : requirements) {
      out.request.requirements.push_back(id);
      out.relaxed.push_back(TRY(provider.relaxed(one.spec)));
      out.asked.push_back(one.asked);
    }
  }
  return out;
}

void check_hashes(const lock::Lock& lock, Diagnostics& diagnostics) {
  std::size_t count = 0;
  std::string first;
  for (const lock::CondaPackage& one : lock.conda.packages) {
    if (one.record.sha256.empty() && one.record.md5.empty() && count++ == 0) {
      first = distribution_name(one.record);
    }
  }
  if (count > 0) {
    diagnostics.warn(
        "lock-without-hash", {},
        fmt::format("{} packages have no hash in their channel, {} first", count, printable(first)),
        "what is downloaded for them cannot be verified; tell the channel's operator");
  }
}

// The channels that take part, and the provider over them.
struct Opened {
  std::vector<source::Channel> channels;  // those that specs name last
  conda::ChannelPriority priority = conda::ChannelPriority::kStrict;
  std::unique_ptr<source::CondaProvider> provider;
};

Result<Opened> open(const LockRequest& request, const definition::CondaSection& conda,
                    const std::vector<Spec>& specs, const Channels& channels,
                    const std::stop_token& stop, Progress& progress, Diagnostics& diagnostics) {
  const std::vector<source::Channel> listed = TRY(listed_channels(conda, channels));
  const std::vector<source::Channel> named = TRY(named_channels(specs, listed, channels));
  source::RepodataCache cache(channels.cache_directory + "/repodata", channels.client,
                              channels.credentials, channels.clock);
  const source::ChannelRequest wanted = {listed,
                                         named,
                                         request.platform,
                                         request.repodata,
                                         channels.cache_directory + "/index",
                                         channels.cache_directory + "/repodata",
                                         channels.client,
                                         channels.credentials};
  source::ProviderOptions options;
  options.priority = channels.settings.channel_priority.value_or(conda::ChannelPriority::kStrict);
  options.add_pip = channels.settings.add_pip_as_python_dependency.value_or(true);
  options.virtual_packages = request.virtual_packages;
  options.favoured = favoured(request);

  Opened out;
  out.channels = listed;
  out.priority = options.priority;
  out.channels.insert(out.channels.end(), named.begin(), named.end());
  out.provider = std::make_unique<source::CondaProvider>(
      TRY(source::open_channels(wanted, cache, stop, progress, diagnostics)), std::move(options));
  return out;
}

Result<resolve::Solution> solve(const Question& question, source::CondaProvider& provider,
                                resolve::Statistics& statistics, Progress& progress) {
  progress.begin("solving", 0, Progress::Unit::kNone);
  auto outcome = resolve::solve(provider, question.request, &statistics);
  progress.end("solving");
  auto answer = TRY(std::move(outcome));
  if (auto* const solution = std::get_if<resolve::Solution>(&answer)) {
    return std::move(*solution);
  }
  progress.begin("looking for ways out", 0, Progress::Unit::kNone);
  const auto problem = resolve::explain(provider, question.request, question.relaxed,
                                        std::get<resolve::Unsolvable>(std::move(answer)));
  progress.end("looking for ways out");
  if (!problem) {
    return problem.error();
  }
  return conflict_error(*problem, question.asked, provider);
}

Status lock_conda(const LockRequest& request, const definition::CondaSection& conda,
                  const Channels& channels, const std::stop_token& stop, Progress& progress,
                  Diagnostics& diagnostics, LockOutcome& out) {
  TRY(check_platform(conda, request.platform));
  std::vector<Spec> specs = TRY(read_specs(conda, request.platform));
  add_pip(request.definition, specs);
  const Opened opened = TRY(open(request, conda, specs, channels, stop, progress, diagnostics));
  Question question = TRY(ask(specs, *opened.provider));
  TRY(check_names(specs, *opened.provider, request));
  question.request.stop = stop;
  question.request.deadline = request.deadline;
  const resolve::Solution solution =
      TRY(solve(question, *opened.provider, out.statistics, progress));

  lock::CondaLock& locked = out.lock.conda;
  for (const source::Channel& channel : opened.channels) {
    locked.channels.push_back({channel.name, channel.url});
  }
  locked.channel_priority = opened.priority;
  for (conda::PackageRecord& record : opened.provider->records(solution)) {
    locked.packages.push_back({.record = std::move(record)});
  }
  return {};
}

}  // namespace

Result<LockOutcome> lock_environment(const LockRequest& request, const Channels& channels,
                                     const std::stop_token& stop, Progress& progress,
                                     Diagnostics& diagnostics) {
  LockOutcome out;
  out.lock.platform = request.platform;
  out.lock.virtual_packages = request.virtual_packages;
  if (request.definition.conda) {
    TRY(lock_conda(request, *request.definition.conda, channels, stop, progress, diagnostics, out));
  }
  const auto& apt = request.definition.apt;
  if (apt && !apt->packages.empty() && request.base != nullptr) {
    out.lock.base_image = lock::BaseImage{request.base->reference, request.base->digest};
    TRY(lock_debian(request, *apt, *request.base, channels, stop, progress, diagnostics, out));
  }
  lock::bind(out.lock, request.definition);
  check_hashes(out.lock, diagnostics);
  return out;
}

}  // namespace cloche::build
