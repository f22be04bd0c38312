#include "cli/env/placed.h"

namespace cloche::cli {

Json clobber_records(const std::vector<source::Clobber>& clobbers) {
  Json out = Json::array();
  for (const source::Clobber& one : clobbers) {
    Json losers = Json::array();
    for (const std::string& loser : one.losers) {
      losers.push(loser);
    }
    Json record;
    record.set("path", one.path).set("winner", one.winner).set("losers", std::move(losers));
    out.push(std::move(record));
  }
  return out;
}

Json script_records(const std::vector<source::LinkScript>& scripts) {
  Json out = Json::array();
  for (const source::LinkScript& one : scripts) {
    Json record;
    record.set("package", one.package).set("action", one.action).set("path", one.path);
    out.push(std::move(record));
  }
  return out;
}

}  // namespace cloche::cli
