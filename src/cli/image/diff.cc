// `cloche image diff`
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/image/record.h"
#include "cli/messages.h"
#include "cli/terminal.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

struct ImageDiffOptions {
  std::string before;
  std::string after;
  std::string platform = "linux-64";
  bool exit_code = false;
};

std::string sign_of(const Json& change, const Style& style, const std::string& what) {
  const std::string kind = change.string_or_empty("kind");
  const bool added = kind == "added";
  const bool removed = kind == "removed";
  return colored(fmt::format("  {} {}",
                             added     ? "+"
                             : removed ? "-"
                                       : "~",
                             what),
                 added     ? "32"
                 : removed ? "31"
                           : "33",
                 style) +
         "\n";
}

std::string layer_text(const Json& layer, const Style& style) {
  std::string holds;
  for (const Json& one : layer["packages"].items()) {
    holds += (holds.empty() ? "" : ", ") + one.as_string();
  }
  return sign_of(
      layer, style,
      fmt::format("{}  {}  {}", short_digest(layer.string_or_empty("digest")),
                  bytes_text(static_cast<std::uint64_t>(layer["size"].as_integer())),
                  printable(holds.empty() ? layer.string_or_empty("created_by") : holds)));
}

std::string package_text(const Json& change, const Style& style) {
  const std::string before = change.string_or_empty("before");
  const std::string after = change.string_or_empty("after");
  return sign_of(change, style,
                 printable(fmt::format("{} {}{}{}", change.string_or_empty("name"), before,
                                       before.empty() || after.empty() ? "" : " -> ", after)));
}

std::string image_diff_text(const Json& data, const Style& style) {
  if (data["before"].string_or_empty("digest") == data["after"].string_or_empty("digest")) {
    return "no difference\n";
  }
  std::string out =
      fmt::format("--- {}\n+++ {}\n", printable(data["before"].string_or_empty("name")),
                  printable(data["after"].string_or_empty("name")));
  if (!data["packages"].items().empty()) {
    out += colored("packages", "1", style) + "\n";
  }
  for (const Json& one : data["packages"].items()) {
    out += package_text(one, style);
  }
  if (!data["layers"].items().empty()) {
    out += colored("layers", "1", style) + "\n";
  }
  for (const Json& one : data["layers"].items()) {
    out += layer_text(one, style);
  }
  return out +
         fmt::format("{} layers are the same ({}); {} would be sent\n",
                     data["same_layers"].as_integer(),
                     bytes_text(static_cast<std::uint64_t>(data["same_bytes"].as_integer())),
                     bytes_text(static_cast<std::uint64_t>(data["bytes_to_send"].as_integer())));
}

// name -> versions; a package is in an environment once.
std::map<std::string, std::string> packages_of(const FoundImage& image) {
  std::map<std::string, std::string> out;
  if (image.environment) {
    for (const image::EnvironmentLayer& layer : image.environment->layers) {
      for (const std::string& one : layer.packages) {
        const std::size_t blank = one.find(' ');
        out[one.substr(0, blank)] = blank == std::string::npos ? "" : one.substr(blank + 1);
      }
    }
  }
  return out;
}

Json package_changes(const FoundImage& before, const FoundImage& after) {
  const std::map<std::string, std::string> old = packages_of(before);
  const std::map<std::string, std::string> now = packages_of(after);
  std::set<std::string> names;
  for (const auto* side : {&old, &now}) {
    for (const auto& [name, version] : *side) {
      names.insert(name);
    }
  }
  Json out = Json::array();
  for (const std::string& name : names) {
    const auto a = old.find(name);
    const auto b = now.find(name);
    if (a != old.end() && b != now.end() && a->second == b->second) {
      continue;
    }
    Json record;
    record.set("kind", a == old.end()   ? "added"
                       : b == now.end() ? "removed"
                                        : "changed")
        .set("name", name)
        .set("before", a == old.end() ? Json() : Json(a->second))
        .set("after", b == now.end() ? Json() : Json(b->second));
    out.push(std::move(record));
  }
  return out;
}

std::set<std::string> digests_of(const Json& layers) {
  std::set<std::string> out;
  for (const Json& one : layers.items()) {
    out.insert(one.string_or_empty("digest"));
  }
  return out;
}

// The layers of `layers` that are not among `others`, each once.
void add_changes(Json& changes, const Json& layers, std::set<std::string> others,
                 std::string_view kind) {
  for (const Json& one : layers.items()) {
    if (others.insert(one.string_or_empty("digest")).second) {
      Json record;
      record.set("kind", kind);
      for (const auto& [name, value] : one.members()) {
        record.set(name, value);
      }
      changes.push(std::move(record));
    }
  }
}

std::int64_t bytes_of(const Json& layers, std::string_view kind) {
  std::int64_t out = 0;
  for (const Json& one : layers.items()) {
    out += one.string_or_empty("kind") == kind ? one["size"].as_integer() : 0;
  }
  return out;
}

Result<Report> run_diff(const ImageDiffOptions& options, Context& context) {
  const image::Layout layout = layout_of(context);
  const FoundImage before = TRY(find_image(options.before, options.platform, layout));
  const FoundImage after = TRY(find_image(options.after, options.platform, layout));
  const Json old = layer_records(before);
  const Json now = layer_records(after);
  Json layers = Json::array();
  add_changes(layers, old, digests_of(now), "removed");
  add_changes(layers, now, digests_of(old), "added");
  std::int64_t same_bytes = 0;
  std::int64_t same = 0;
  const std::set<std::string> known = digests_of(old);
  for (const Json& one : now.items()) {
    if (known.contains(one.string_or_empty("digest"))) {
      same_bytes += one["size"].as_integer();
      ++same;
    }
  }
  const bool differs = before.digest != after.digest;
  const auto documents = static_cast<std::int64_t>(
      differs ? after.size_bytes + after.documents.manifest.config.size_bytes : 0);
  Json data;
  data.set("before", image_side(before))
      .set("after", image_side(after))
      .set("packages", package_changes(before, after))
      .set("layers", layers)
      .set("same_layers", same)
      .set("same_bytes", same_bytes)
      .set("bytes_to_send", bytes_of(layers, "added") + documents);
  return Report{.data = std::move(data),
                .text = image_diff_text,
                .exit_code = options.exit_code && differs ? 1 : 0};
}

constexpr std::array<Argument, 4> kImageDiffArguments = {{
    {.name = "A",
     .help = "The image before: its name, or its manifest's digest",
     .required = true,
     .source = Source::kImages,
     .field = kField<&ImageDiffOptions::before>},
    {.name = "B",
     .help = "The image after, likewise",
     .required = true,
     .source = Source::kImages,
     .field = kField<&ImageDiffOptions::after>},
    {.name = "platform",
     .value = "PLATFORM",
     .help = "Which images of indexes (default: linux-64)",
     .field = kField<&ImageDiffOptions::platform>},
    {.name = "exit-code",
     .help = "Exit with 1 when there is a difference",
     .field = kField<&ImageDiffOptions::exit_code>},
}};

constexpr std::array<Example, 1> kImageDiffExamples = {{
    {"What would pushing the second send, where the first is?",
     "cloche image diff train:1 train:2"},
}};

}  // namespace

const Command kImageDiff = {
    .path = "image diff",
    .summary = "show which packages and layers differ between two images",
    .description =
        "Compares two images by their packages and by their layers, and says how many bytes a "
        "registry or a machine that has the first lacks of the second.",
    .arguments = kImageDiffArguments,
    .examples = kImageDiffExamples,
    .exit_codes = "1  there is a difference (with --exit-code)",
    .see_also = "image tree, env diff",
    .run = run<ImageDiffOptions, run_diff>,
};

}  // namespace cloche::cli
