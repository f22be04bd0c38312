#include "debian_channel/channel.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/files.h"
#include "core/json.h"
#include "debian_channel/bytecode_maker.h"
#include "debian_channel/conda_naming.h"
#include "debian_channel/conversion.h"
#include "debian_channel/package_info.h"
#include "debian_channel/selection.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/mapped_file.h"
#include "package/conda/version.h"
#include "source/conda/package_writer.h"

namespace cloche::debian_channel {
namespace {

constexpr std::size_t kStateLimit = std::size_t{256} << 20U;
constexpr std::string_view kState = ".debian_channel.json";

// A group after its files were converted.
struct Converted {
  std::string key;
  std::string payload_path;
  Conversion facts;
  bool fresh = false;
};

// "3.12" after "3.11".
std::string next_minor(const std::string& python) {
  const std::size_t dot = python.find('.');
  return python.substr(0, dot + 1) + std::to_string(std::stoi(python.substr(dot + 1)) + 1);
}

class Maker {
 public:
  Maker(const ChannelRequest& request, const Rules& rules, DebSource& source, io::ThreadPool& pool,
        const std::stop_token& stop, Progress& progress)
      : request_(request),
        rules_(rules),
        source_(source),
        pool_(pool),
        stop_(stop),
        progress_(progress) {}

  Result<ChannelReport> run() {
    const std::unique_ptr<Available> available = TRY(source_.open(stop_, progress_));
    const std::vector<std::string>& roots = request_.roots.empty() ? rules_.roots : request_.roots;
    selection_ = TRY(select(*available, rules_, roots));
    TRY(fetch());
    TRY(convert_all());
    resolve_all(roots);
    TRY(write_all());
    return std::move(report_);
  }

 private:
  Status fetch() {
    std::vector<debian::PackageRecord> wanted;
    for (const auto& [name, group] : selection_.groups) {
      wanted.insert(wanted.end(), group.members.begin(), group.members.end());
    }
    FetchedPackages fetched = TRY(source_.fetch(wanted, stop_, progress_));
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      deb_paths_[wanted[i].name] = std::move(fetched.paths[i]);
    }
    report_.debs = wanted.size();
    report_.downloaded = fetched.downloaded;
    report_.downloaded_bytes = fetched.downloaded_bytes;
    return {};
  }

  // First the interpreter and what it needs, as they are; it then makes the bytecode of all others
  // and of itself.
  Status convert_all() {
    TRY(io::make_directories(payload_directory()));
    if (selection_.groups.contains("python")) {
      std::set<std::string> interpreter;
      std::deque<std::string> waiting = {"python"};
      while (!waiting.empty()) {
        const std::string name = std::move(waiting.front());
        waiting.pop_front();
        if (interpreter.insert(name).second) {
          for (const Edge& edge : edges_of(name)) {
            waiting.push_back(edge.to);
          }
        }
      }
      interpreter_ = conversion_key(selection_.groups.at("python"), rules_, "");
      std::erase_if(interpreter, [&](const std::string& name) {
        return name != "python" && selection_.groups.at(name).has_bytecode();
      });
      TRY(convert_groups({interpreter.begin(), interpreter.end()}, false));
    }
    std::vector<std::string> others;
    bool all_there = true;
    for (const auto& [name, group] : selection_.groups) {
      if (!converted_.contains(name) || name == "python") {
        others.push_back(name);
        all_there = all_there && (!group.has_bytecode() || cached(group, true).has_value());
      }
    }
    if (!all_there && !interpreter_.empty()) {
      TRY(start_interpreter());
    }
    converted_.erase("python");
    TRY(convert_groups(others, true));
    bytecode_.reset();
    return {};
  }

  Status start_interpreter() {
    std::vector<std::string> payloads;
    for (const auto& [name, one] : converted_) {
      payloads.push_back(one.payload_path);
    }
    auto made = BytecodeMaker::create(payloads, rules_.python, payload_directory(), pool_, stop_);
    if (!made && made.error().kind != ErrorKind::kUnsupported) {
      return std::move(made).error();
    }
    if (made) {
      bytecode_ = std::move(*made);
    } else {
      report_.notes.push_back("packages have no bytecode: " + made.error().message);
    }
    return {};
  }

  // The largest first, so that no thread is left alone with one at the end.
  Status convert_groups(const std::vector<std::string>& names, bool with_bytecode) {
    std::vector<const Group*> order;
    for (const std::string& name : names) {
      order.push_back(&selection_.groups.at(name));
    }
    std::ranges::stable_sort(order, std::ranges::greater(), &Group::installed_kib);
    progress_.begin("converting", order.size(), Progress::Unit::kItems);
    std::vector<Converted> all = TRY(pool_.map(
        order.size(),
        [&](std::size_t i) -> Result<Converted> {
          Converted one =
              TRY(convert_one(*order[i], with_bytecode).context("in {}", order[i]->name));
          progress_.advance("converting", 1, order[i]->name);
          return one;
        },
        stop_));
    progress_.end("converting");
    for (std::size_t i = 0; i < order.size(); ++i) {
      report_.converted += all[i].fresh ? 1 : 0;
      converted_.insert_or_assign(order[i]->name, std::move(all[i]));
    }
    return {};
  }

  std::string payload_directory() const {
    return join_path(request_.cache_directory, "debian-channel");
  }

  Converted named(const Group& group, bool with_bytecode) const {
    Converted out;
    out.key =
        conversion_key(group, rules_, with_bytecode && group.has_bytecode() ? interpreter_ : "");
    out.payload_path = join_path(payload_directory(), out.key + ".tar.zst");
    return out;
  }

  // What was converted before.
  std::optional<Converted> cached(const Group& group, bool with_bytecode) const {
    Converted out = named(group, with_bytecode);
    io::DiskFiles disk;
    const std::string path = join_path(payload_directory(), out.key + ".json");
    const Result<std::string> text = disk.read(path, kStateLimit);
    if (!text || !disk.kind(out.payload_path)) {
      return std::nullopt;
    }
    const Result<Json> json = parse_json(*text, path);
    if (!json) {
      return std::nullopt;
    }
    Result<Conversion> facts = Conversion::from_json(*json);
    if (!facts) {
      return std::nullopt;
    }
    out.facts = std::move(*facts);
    return out;
  }

  Result<Converted> convert_one(const Group& group, bool with_bytecode) {
    if (std::optional<Converted> before = cached(group, with_bytecode)) {
      return std::move(*before);
    }
    Converted out = named(group, with_bytecode);
    std::vector<std::string> debs;
    for (const debian::PackageRecord& one : group.members) {
      debs.push_back(deb_paths_.at(one.name));
    }
    BytecodeMaker* bytecode = with_bytecode && group.has_bytecode() ? bytecode_.get() : nullptr;
    out.facts = TRY(convert(group, debs, rules_, bytecode, out.payload_path));
    out.fresh = true;
    // Last: the payload counts only when this is there.
    TRY(io::write_file_atomically(join_path(payload_directory(), out.key + ".json"),
                                  out.facts.to_json().dump()));
    return out;
  }

  // Who has a library of that name: of several, one that the group's own Depends name.
  std::optional<std::string> provider(const std::string& group, const std::string& library) const {
    const auto found = providers_.find(library);
    if (found == providers_.end()) {
      return std::nullopt;
    }
    for (const Edge& edge : edges_of(group)) {
      if (found->second.contains(edge.to)) {
        return edge.to;
      }
    }
    for (const std::string& preferred : rules_.prefer) {
      if (found->second.contains(preferred)) {
        return preferred;
      }
    }
    return *found->second.begin();
  }

  const std::vector<Edge>& edges_of(const std::string& group) const {
    static const std::vector<Edge> none;
    const auto found = selection_.edges.find(group);
    return found == selection_.edges.end() ? none : found->second;
  }

  // Libraries are needed when a file says so; modules, fonts and data when Debian does.
  bool is_library(const std::string& group) const {
    const debian::PackageRecord& first = selection_.groups.at(group).members.front();
    return !first.name.starts_with("python3-") && !rules_.always.contains(first.name) &&
           !first.section.ends_with("fonts");
  }

  // Every package that is reached from the roots, with its dependencies.
  void resolve_all(const std::vector<std::string>& roots) {
    for (const auto& [name, one] : converted_) {
      for (const std::string& library : one.facts.provides) {
        providers_[library].insert(name);
      }
    }
    std::deque<std::string> waiting(roots.begin(), roots.end());
    if (selection_.groups.contains("python")) {
      waiting.emplace_back("pip");
    }
    while (!waiting.empty()) {
      const std::string name = std::move(waiting.front());
      waiting.pop_front();
      if (depends_.contains(name)) {
        continue;
      }
      for (const auto& [to, spec] : depends_[name] = depends_of(name)) {
        if (selection_.groups.contains(to)) {
          waiting.push_back(to);
        }
      }
    }
    for (const auto& [name, group] : selection_.groups) {
      if (!depends_.contains(name)) {
        for (const debian::PackageRecord& one : group.members) {
          report_.needless_bytes += one.size_bytes;
        }
      }
    }
  }

  std::map<std::string, std::string> depends_of(const std::string& name) {
    const Group& group = selection_.groups.at(name);
    const Conversion& facts = converted_.at(name).facts;
    std::map<std::string, std::string> out;
    for (const Edge& edge : edges_of(name)) {
      if (!is_library(edge.to)) {
        out[edge.to] = spec_for(edge.to, edge.minimum);
      }
    }
    for (const std::string& library : facts.needs) {
      const std::optional<std::string> from = provider(name, library);
      if (!from) {
        report_.notes.push_back(fmt::format("{} needs {}, which nothing has", name, library));
        continue;
      }
      const auto edge = std::ranges::find(edges_of(name), *from, &Edge::to);
      out[*from] = spec_for(*from, edge == edges_of(name).end() ? "" : edge->minimum);
    }
    out.erase(name);
    if (name != "python" && group.kind == PackageKind::kNoarchPython) {
      out["python"] = "python >=" + rules_.python;
    } else if (name != "python" && !facts.modules.empty()) {
      out["python"] = "python >=" + rules_.python + ",<" + next_minor(rules_.python) + ".0a0";
    }
    if (const std::string& glibc = selection_.glibc[name];
        !glibc.empty() && group.kind == PackageKind::kNative) {
      out["__glibc"] = "__glibc >=" + conda_version(glibc);
    }
    return out;
  }

  // "libfoo >=1.2", when conda too finds that the package in the channel is one.
  std::string spec_for(const std::string& name, const std::string& minimum) const {
    if (minimum.empty()) {
      return name;
    }
    const Result<conda::Version> least = conda::Version::parse(conda_version(minimum));
    const Result<conda::Version> here =
        conda::Version::parse(conda_version(selection_.groups.at(name).members.front().version));
    return least && here && *least <= *here ? name + " >=" + least->text() : name;
  }

  Status write_all() {
    TRY(read_state());
    for (const auto& [name, one] : converted_) {
      licenses_.insert(one.facts.licenses.begin(), one.facts.licenses.end());
    }
    std::vector<std::string> names;
    for (const auto& [name, depends] : depends_) {
      names.push_back(name);
    }
    for (const std::string_view subdir : {"linux-64", "noarch"}) {
      TRY(io::make_directories(join_path(request_.directory, subdir)));
    }
    progress_.begin("writing", names.size(), Progress::Unit::kItems);
    const std::vector<Written> written =
        TRY(pool_.map(names.size(), [&](std::size_t i) { return write_one(names[i]); }, stop_));
    progress_.end("writing");
    Json files = Json::object();
    for (std::size_t i = 0; i < names.size(); ++i) {
      const Conversion& facts = converted_.at(names[i]).facts;
      ++report_.packages;
      report_.noarch_python +=
          selection_.groups.at(names[i]).kind == PackageKind::kNoarchPython ? 1 : 0;
      report_.written += written[i].fresh ? 1 : 0;
      report_.archive_bytes += static_cast<std::uint64_t>(written[i].record["size"].as_integer());
      report_.installed_bytes += facts.size_bytes;
      for (const std::string& note : facts.notes) {
        report_.notes.push_back(names[i] + ": " + note);
      }
      files.set(written[i].place,
                Json::object().set("key", written[i].key).set("record", written[i].record));
    }
    state_.set(request_.suite, std::move(files));
    return write_repodata();
  }

  struct Written {
    std::string place;  // "linux-64/zlib-1.2.13-deb1.conda"
    std::string key;
    Json record;
    bool fresh = false;
  };

  Result<Written> write_one(const std::string& name) {
    const Group& group = selection_.groups.at(name);
    const Converted& converted = converted_.at(name);
    Relations relations;
    for (const auto& [to, spec] : depends_.at(name)) {
      relations.depends.push_back(spec);
    }
    if (const auto found = selection_.constrains.find(name); found != selection_.constrains.end()) {
      for (const std::string& spec : found->second) {
        if (depends_.contains(spec.substr(0, spec.find(' ')))) {
          relations.constrains.push_back(spec);
        }
      }
    }
    const PackageInfo info =
        package_info(group, converted.facts, relations, rules_, request_.suite, licenses_);
    Written out;
    out.place = info.subdir + "/" + info.file_name;
    std::string all = converted.key;
    for (const auto& [file, content] : info.files) {
      all += '\0' + file + '\0' + content;
    }
    out.key = Digest::of(all).hex();
    const std::string path = join_path(request_.directory, out.place);
    const Json& known = state_[request_.suite][out.place];
    io::DiskFiles disk;
    if (known.string_or_empty("key") == out.key && disk.kind(path)) {
      out.record = known["record"];
      return out;
    }
    const io::MappedFile payload = TRY(io::MappedFile::open(converted.payload_path));
    TRY(source::write_package(path, payload.bytes(), info.files));
    out.record = TRY(source::repodata_record(info.index, path));
    out.fresh = true;
    return out;
  }

  Status read_state() {
    io::DiskFiles disk;
    const Result<std::string> text = disk.read(join_path(request_.directory, kState), kStateLimit);
    state_ = Json::object();
    if (text) {
      if (Result<Json> json = parse_json(*text, std::string(kState)); json && json->is_object()) {
        state_ = std::move(*json);
      }
    }
    return {};
  }

  // The records of all suites of the channel.
  Status write_repodata() {
    std::map<std::string, std::map<std::string, Json>> subdirs = {{"linux-64", {}}, {"noarch", {}}};
    for (const auto& [suite, files] : state_.members()) {
      for (const auto& [place, one] : files.members()) {
        const std::size_t slash = place.find('/');
        subdirs[place.substr(0, slash)][place.substr(slash + 1)] = one["record"];
      }
    }
    for (const auto& [subdir, records] : subdirs) {
      TRY(source::write_repodata(request_.directory, subdir, records));
    }
    return io::write_file_atomically(join_path(request_.directory, kState), state_.dump());
  }

  const ChannelRequest& request_;
  const Rules& rules_;
  DebSource& source_;
  io::ThreadPool& pool_;
  const std::stop_token& stop_;
  Progress& progress_;

  Selection selection_;
  std::map<std::string, std::string> deb_paths_;
  std::map<std::string, Converted> converted_;
  std::string interpreter_;  // the key of the Python that makes bytecode
  std::unique_ptr<BytecodeMaker> bytecode_;
  std::map<std::string, std::set<std::string>> providers_;
  std::map<std::string, std::map<std::string, std::string>> depends_;  // name -> of whom, the spec
  std::map<std::string, std::string> licenses_;
  Json state_;
  ChannelReport report_;
};

}  // namespace

Result<ChannelReport> make_channel(const ChannelRequest& request, const Rules& rules,
                                   DebSource& source, io::ThreadPool& pool,
                                   const std::stop_token& stop, Progress& progress) {
  return Maker(request, rules, source, pool, stop, progress).run();
}

}  // namespace cloche::debian_channel
