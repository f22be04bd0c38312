#include "debian_channel/conversion.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/files.h"
#include "core/text.h"
#include "debian_channel/alternatives.h"
#include "debian_channel/copyright.h"
#include "debian_channel/elf_file.h"
#include "debian_channel/python_files.h"
#include "io/temporary.h"
#include "package/debian/paragraph.h"
#include "source/conda/package_writer.h"
#include "source/debian/deb_archive.h"

namespace cloche::debian_channel {
namespace {

// Raised when the same input shall give other files than before.
constexpr std::string_view kFormat = "3";

constexpr std::size_t kPlaceholderBytes = 255;
constexpr std::size_t kSpareBytes = std::size_t{1} << 20U;
constexpr std::string_view kLibraries = "lib";

// Parts of the C library, which the base image has.
constexpr std::string_view kCLibrary[] = {
    "libc.so.6",    "libm.so.6",        "libpthread.so.0", "libdl.so.2",     "librt.so.1",
    "libutil.so.1", "libanl.so.1",      "libmvec.so.1",    "libresolv.so.2", "ld-linux-x86-64.so.2",
    "libnsl.so.1",  "libthread_db.so.1"};

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

class Converter {
 public:
  Converter(const Group& group, const Rules& rules, BytecodeMaker* bytecode,
            source::PayloadWriter& out)
      : group_(group),
        rules_(rules),
        bytecode_(bytecode),
        out_(out),
        layout_{.python = rules.python, .noarch = group.kind == PackageKind::kNoarchPython} {}

  Status read(const std::string& deb, const debian::PackageRecord& record) {
    const source::DebArchive archive = TRY(source::DebArchive::open(deb));
    TRY(read_control_part(archive, record));
    source::DebStream stream = TRY(archive.data());
    io::TarEntry entry;
    while (TRY(stream.next(entry))) {
      TRY(take(entry, stream, record));
    }
    return {};
  }

  Result<Conversion> finish() {
    for (const AddedLink& one : rules_.links) {
      if (one.package == group_.name && seen_.insert(one.link).second) {
        TRY(out_.symlink(one.link, one.target));
      }
    }
    TRY(place_scripts());
    TRY(place_links());
    TRY(place_bytecode());
    for (const std::string& name : own_libraries_) {
      facts_.needs.erase(name);
    }
    for (const std::string_view name : kCLibrary) {
      facts_.needs.erase(std::string(name));
    }
    std::ranges::sort(facts_.modules);
    facts_.modules.erase(std::ranges::unique(facts_.modules).begin(), facts_.modules.end());
    std::ranges::sort(facts_.entry_points);
    const std::vector<source::PathEntry> paths = TRY(out_.finish());
    for (const source::PathEntry& path : paths) {
      facts_.size_bytes += path.size_bytes.value_or(0);
    }
    facts_.paths_json = source::paths_json_text(paths);
    source::add_path_lists(paths, facts_.path_lists);
    return std::move(facts_);
  }

 private:
  struct Link {
    std::string path;    // merged
    std::string target;  // merged
  };
  struct Held {
    std::string path;
    std::string content;
    bool executable = false;
    std::int64_t mtime_s = 0;
  };

  Status read_control_part(const source::DebArchive& archive, const debian::PackageRecord& record) {
    const source::ControlFiles control = TRY(archive.control());
    if (const auto postinst = control.find("postinst"); postinst != control.end()) {
      for (const AlternativeLink& one : alternative_links(postinst->second.content)) {
        links_.push_back({merged_path(one.link), merged_path(one.target)});
      }
    }
    const auto file = control.find("control");
    if (file == control.end() || &record != &group_.members.front()) {
      return {};
    }
    debian::ParagraphReader reader(file->second.content, archive.path());
    debian::Paragraph paragraph;
    if (TRY(reader.next(paragraph))) {
      facts_.homepage = paragraph.value("Homepage");
      const std::string_view text = paragraph.value("Description");
      const std::size_t end = std::min(text.find('\n'), text.size());
      facts_.summary = trim(text.substr(0, end));
      for (const std::string_view line : split_lines(text.substr(end))) {
        const std::string_view plain = trim(line);
        if (!plain.empty()) {
          facts_.description += plain == "." ? "\n" : std::string(plain) + "\n";
        }
      }
    }
    return {};
  }

  static Result<std::string> content_of(const io::TarEntry& entry, source::DebStream& stream) {
    std::string content;
    content.reserve(entry.size_bytes);
    while (true) {
      const std::string_view piece = TRY(stream.content());
      if (piece.empty()) {
        return content;
      }
      content += piece;
    }
  }

  Status take(const io::TarEntry& entry, source::DebStream& stream,
              const debian::PackageRecord& record) {
    const std::string path = merged_path(entry.path);
    if (entry.kind == io::TarKind::kSymlink || entry.kind == io::TarKind::kHardlink) {
      const bool symlink = entry.kind == io::TarKind::kSymlink;
      const std::string target = symlink && !entry.link_target.starts_with('/')
                                     ? join_path(parent_path(path), entry.link_target)
                                     : entry.link_target;
      if (path == "usr/share/doc/" + record.name) {
        facts_.license_of[record.name] = base_name(target);
      }
      links_.push_back({path, merged_path(target)});
      return {};
    }
    if (entry.kind != io::TarKind::kFile) {
      return {};
    }
    facts_.time_s = std::max(facts_.time_s, entry.mtime_s);
    const std::optional<std::string> place = prefix_path(path, layout_);
    if (!place) {
      return keep_aside(path, entry, stream, record);
    }
    if (seen_.contains(*place)) {
      return {};
    }
    Held file{.path = *place,
              .content = TRY(content_of(entry, stream)),
              .executable = (entry.mode & 0111U) != 0,
              .mtime_s = entry.mtime_s};
    if (file.path.starts_with("python-scripts/")) {
      scripts_.push_back(std::move(file));  // entry points may take their places
      return {};
    }
    return place_file(std::move(file), path).context("in {}", place->c_str());
  }

  // The licence, and small files that a link may want.
  Status keep_aside(const std::string& path, const io::TarEntry& entry, source::DebStream& stream,
                    const debian::PackageRecord& record) {
    const std::string_view name = base_name(path);
    if (path == "usr/share/doc/" + record.name + "/copyright") {
      std::string text = TRY(content_of(entry, stream));
      if (&record == &group_.members.front()) {
        facts_.license = short_license(text);
      }
      facts_.licenses[record.name] = std::move(text);
    } else if (entry.size_bytes <= kSpareBytes && path.starts_with("etc/")) {
      spare_[path] = {.path = std::string(name),
                      .content = TRY(content_of(entry, stream)),
                      .executable = (entry.mode & 0111U) != 0,
                      .mtime_s = entry.mtime_s};
    }
    return {};
  }

  Status place_file(Held held, const std::string& debian_path) {
    source::PayloadWriter::File file{
        .path = held.path, .executable = held.executable, .mtime_s = held.mtime_s};
    if (const std::optional<ElfFacts> elf = TRY(read_elf(held.content))) {
      TRY(relocate(*elf, debian_path, held, file));
    } else {
      edit_text(held, file);
    }
    note_module(held.path);
    note_library(held.path);
    if (layout_.noarch && base_name(held.path) == "entry_points.txt") {
      for (std::string& point : console_scripts(held.content)) {
        facts_.entry_points.push_back(std::move(point));
      }
    }
    seen_.insert(held.path);
    TRY(out_.file(file, held.content));
    if (bytecode_ != nullptr && held.path.ends_with(".py") && file.placeholder.empty() &&
        held.path.starts_with("lib/python")) {
      sources_.emplace_back(std::move(held.path), std::move(held.content));
    }
    return {};
  }

  Status place_bytecode() {
    if (sources_.empty()) {
      return {};
    }
    for (const auto& [path, content] : TRY(bytecode_->compile(sources_))) {
      if (seen_.insert(path).second) {
        TRY(out_.file({.path = path}, content));
      }
    }
    return {};
  }

  // A run path from where the file will be to the libraries; words of the same length exchanged.
  Status relocate(const ElfFacts& elf, const std::string& debian_path, Held& held,
                  source::PayloadWriter::File& file) {
    facts_.needs.insert(elf.needed.begin(), elf.needed.end());
    for (const Edit& edit : rules_.binary_edits) {
      if (edit.package == group_.name && matches_glob(edit.files, held.path)) {
        held.content = replaced(std::move(held.content), edit.text, edit.replacement);
      }
    }
    if (elf.needed.empty() && elf.run_path.empty()) {
      return {};
    }
    std::string run_path = join(run_path_of(elf, debian_path, held.path), ":");
    if (held.path.starts_with("bin/")) {
      // As conda-build's programs have it: what is not found beside is found by its full name.
      run_path += ":" + std::string(placeholder()) + "/lib";
      file.placeholder = placeholder();
      file.mode = source::FileMode::kBinary;
    }
    Result<std::string> changed = with_run_path(held.content, run_path);
    if (!changed && changed.error().kind == ErrorKind::kUnsupported) {
      facts_.notes.push_back(held.path + " has no room for a run path");
      file.placeholder.clear();
      return {};
    }
    held.content = TRY(std::move(changed));
    return {};
  }

  std::vector<std::string> run_path_of(const ElfFacts& elf, const std::string& debian_path,
                                       const std::string& path) const {
    const std::string directory = parent_path(installed_path(path, layout_));
    std::vector<std::string> out;
    const auto add = [&](std::string_view to) {
      const std::string relative = relative_path(directory, to);
      std::string one = relative == "." ? "$ORIGIN" : "$ORIGIN/" + relative;
      if (std::ranges::find(out, one) == out.end()) {
        out.push_back(std::move(one));
      }
    };
    for (const std::string& old : elf.run_path) {
      const std::string absolute = replaced(replaced(old, "${ORIGIN}", "$ORIGIN"), "$ORIGIN",
                                            "/" + parent_path(debian_path));
      const std::optional<std::string> place =
          absolute.starts_with('/') ? prefix_path(merged_path(absolute), layout_) : std::nullopt;
      if (place && *place != kLibraries) {
        add(*place);
      }
    }
    add(kLibraries);
    return out;
  }

  void edit_text(Held& held, source::PayloadWriter::File& file) {
    const bool script = held.executable || held.path.starts_with("bin/");
    if (script && !held.path.starts_with("lib/python" + rules_.python + "/config")) {
      const std::string interpreter =
          std::string(placeholder()) + "/bin/python" + (layout_.noarch ? "" : rules_.python);
      if (std::optional<std::string> changed = with_interpreter(held.content, interpreter)) {
        held.content = std::move(*changed);
        file.placeholder = placeholder();
      }
    }
    for (const Edit& edit : rules_.edits) {
      if (edit.package != group_.name || !matches_glob(edit.files, held.path) ||
          held.content.find(edit.text) == std::string::npos) {
        continue;
      }
      const std::string with = replaced(edit.replacement, "{prefix}", placeholder());
      held.content = replaced(std::move(held.content), edit.text, with);
      if (with != edit.replacement) {
        file.placeholder = placeholder();
      }
    }
  }

  void note_module(const std::string& path) {
    for (const std::string& directory : {layout_.site_packages(), "lib/python" + rules_.python,
                                         "lib/python" + rules_.python + "/lib-dynload"}) {
      if (path.starts_with(directory + "/")) {
        std::string module = top_level_module(std::string_view(path).substr(directory.size() + 1));
        if (!module.empty()) {
          facts_.modules.push_back(std::move(module));
        }
      }
    }
  }

  void note_library(const std::string& path) {
    const std::string_view name = base_name(path);
    own_libraries_.emplace(name);
    if (path.starts_with("lib/") && !path.starts_with("lib/python") &&
        name.find(".so") != std::string_view::npos) {
      facts_.provides.insert(std::string(name));
    }
  }

  Status place_scripts() {
    std::set<std::string> commands;
    for (const std::string& point : facts_.entry_points) {
      commands.insert("python-scripts/" + point.substr(0, point.find(' ')));
    }
    for (Held& script : scripts_) {
      if (!commands.contains(script.path)) {
        const std::string path = script.path;
        TRY(place_file(std::move(script), path));
      }
    }
    return {};
  }

  Status place_links() {
    for (const Link& link : links_) {
      const std::optional<std::string> place = prefix_path(link.path, layout_);
      if (!place || seen_.contains(*place)) {
        continue;
      }
      const std::optional<std::string> target = prefix_path(link.target, layout_);
      if (target == place) {
        continue;
      }
      if (target) {
        seen_.insert(*place);
        note_library(*place);
        TRY(out_.symlink(*place, relative_path(parent_path(installed_path(*place, layout_)),
                                               installed_path(*target, layout_))));
      } else if (const auto spare = spare_.find(link.target); spare != spare_.end()) {
        Held file = spare->second;
        file.path = *place;
        TRY(place_file(std::move(file), link.path));
      } else {
        facts_.notes.push_back(*place + " is left out: it leads to /" + link.target);
      }
    }
    return {};
  }

  const Group& group_;
  const Rules& rules_;
  BytecodeMaker* bytecode_;
  source::PayloadWriter& out_;
  Layout layout_;
  Conversion facts_;
  std::unordered_set<std::string> seen_;
  std::vector<Link> links_;
  std::vector<Held> scripts_;
  BytecodeMaker::Files sources_;
  std::set<std::string> own_libraries_;  // names of files, that one may need another by
  std::map<std::string, Held> spare_;    // by merged path
};

Json texts(const auto& all) {
  Json out = Json::array();
  for (const std::string& one : all) {
    out.push(one);
  }
  return out;
}

Json table(const std::map<std::string, std::string>& all) {
  Json out = Json::object();
  for (const auto& [key, value] : all) {
    out.set(key, value);
  }
  return out;
}

std::vector<std::string> texts_of(const Json& json) {
  std::vector<std::string> out;
  if (json.is_array()) {
    for (const Json& one : json.items()) {
      out.push_back(one.is_string() ? one.as_string() : "");
    }
  }
  return out;
}

std::map<std::string, std::string> table_of(const Json& json) {
  std::map<std::string, std::string> out;
  if (json.is_object()) {
    for (const auto& [key, value] : json.members()) {
      out[key] = value.is_string() ? value.as_string() : "";
    }
  }
  return out;
}

std::set<std::string> set_of(const Json& json) {
  const std::vector<std::string> all = texts_of(json);
  return {all.begin(), all.end()};
}

}  // namespace

std::string_view placeholder() {
  static const std::string text = [] {
    std::string out = "/opt/cloche_debian_channel";
    while (out.size() < kPlaceholderBytes) {
      out += "_placehold";
    }
    out.resize(kPlaceholderBytes);
    return out;
  }();
  return text;
}

std::uint64_t Group::installed_kib() const {
  std::uint64_t sum = 0;
  for (const debian::PackageRecord& one : members) {
    sum += one.installed_kib;
  }
  return sum;
}

Json Conversion::to_json() const {
  return Json::object()
      .set("paths_json", paths_json)
      .set("path_lists", table(path_lists))
      .set("provides", texts(provides))
      .set("needs", texts(needs))
      .set("modules", texts(modules))
      .set("entry_points", texts(entry_points))
      .set("licenses", table(licenses))
      .set("license_of", table(license_of))
      .set("license", license)
      .set("homepage", homepage)
      .set("summary", summary)
      .set("description", description)
      .set("time_s", time_s)
      .set("size_bytes", static_cast<std::int64_t>(size_bytes))
      .set("notes", texts(notes));
}

Result<Conversion> Conversion::from_json(const Json& json) {
  const Json& time = json["time_s"];
  const Json& size = json["size_bytes"];
  if (!time.is_integer() || !size.is_integer() || !json["paths_json"].is_string()) {
    return fail(ErrorKind::kCorrupt, "what is cached of a package is damaged");
  }
  Conversion out;
  out.paths_json = json.string_or_empty("paths_json");
  out.path_lists = table_of(json["path_lists"]);
  out.provides = set_of(json["provides"]);
  out.needs = set_of(json["needs"]);
  out.modules = texts_of(json["modules"]);
  out.entry_points = texts_of(json["entry_points"]);
  out.licenses = table_of(json["licenses"]);
  out.license_of = table_of(json["license_of"]);
  out.license = json.string_or_empty("license");
  out.homepage = json.string_or_empty("homepage");
  out.summary = json.string_or_empty("summary");
  out.description = json.string_or_empty("description");
  out.time_s = time.as_integer();
  out.size_bytes = static_cast<std::uint64_t>(size.as_integer());
  out.notes = texts_of(json["notes"]);
  return out;
}

bool Group::has_bytecode() const {
  return kind == PackageKind::kNative &&
         (name == "python" || members.front().name.starts_with("python3-"));
}

std::string conversion_key(const Group& group, const Rules& rules, const std::string& interpreter) {
  Json members = Json::array();
  for (const debian::PackageRecord& one : group.members) {
    members.push(one.sha256);
  }
  Json said = Json::array();
  for (const std::vector<Edit>* edits : {&rules.edits, &rules.binary_edits}) {
    for (const Edit& edit : *edits) {
      if (edit.package == group.name) {
        said.push(texts(std::vector<std::string>{edit.files, edit.text, edit.replacement}));
      }
    }
  }
  for (const AddedLink& link : rules.links) {
    if (link.package == group.name) {
      said.push(texts(std::vector<std::string>{link.link, link.target}));
    }
  }
  return Digest::of(Json::object()
                        .set("format", kFormat)
                        .set("name", group.name)
                        .set("kind", static_cast<int>(group.kind))
                        .set("python", rules.python)
                        .set("interpreter", interpreter)
                        .set("rules", std::move(said))
                        .set("members", std::move(members))
                        .canonical())
      .hex();
}

Result<Conversion> convert(const Group& group, const std::vector<std::string>& debs,
                           const Rules& rules, BytecodeMaker* bytecode,
                           const std::string& payload_path) {
  io::TemporaryFile file = TRY(io::TemporaryFile::create(parent_path(payload_path)));
  source::PayloadWriter out([&](std::string_view bytes) { return file.write(bytes); });
  Converter converter(group, rules, bytecode, out);
  for (std::size_t i = 0; i < debs.size(); ++i) {
    TRY(converter.read(debs[i], group.members[i]).context("converting {}", debs[i]));
  }
  Conversion facts = TRY(converter.finish());
  TRY(std::move(file).rename_to(payload_path));
  return facts;
}

}  // namespace cloche::debian_channel
