#include "jobs/entry_script.h"

#include <string_view>

#include <fmt/format.h>

namespace cloche::jobs {
namespace {

// $1: the command. SIGTERM reaches every process by itself: the shell only has to live until the
// command is gone, and without a trap a container's first process would not even notice.
constexpr std::string_view kSingle = R"sh(
trap : TERM INT HUP
if command -v bash >/dev/null 2>&1; then shell=bash; else shell=sh; fi
"$shell" -c "$1" &
child=$!
while :; do
  wait "$child"; code=$?
  kill -0 "$child" 2>/dev/null || exit "$code"
done
)sh";

// $1: the command, $2: ranks here, $3: the first of them, $4: logs, $5: state. Each rank has a
// shell of its own that writes down the first failure and says so with SIGUSR1.
constexpr std::string_view kRanks = R"sh(
trap : TERM INT HUP
trap 'failed=1' USR1
if command -v bash >/dev/null 2>&1; then shell=bash; else shell=sh; fi
main=$$ failed=0 count=$2 first=$3 logs=$4 state=$5 pids= local=0
note="$state/failed_$first"
while [ "$local" -lt "$count" ]; do
  (
    RANK=$((first + local)) LOCAL_RANK=$local
    export RANK LOCAL_RANK
    told=
    trap 'told=1; kill -TERM "$child" 2>/dev/null' TERM
    trap : INT HUP USR1
    "$shell" -c "$1" >>"$logs/std_log_$RANK.txt" 2>&1 &
    child=$!
    while :; do
      wait "$child"; code=$?
      kill -0 "$child" 2>/dev/null || break
    done
    if [ "$code" -ne 0 ] && [ -z "$told" ]; then
      ( set -C; echo "$RANK $code" >"$note" ) 2>/dev/null
      trap 'exit "$code"' TERM
      while kill -USR1 "$main" 2>/dev/null; do sleep 1; done
    fi
    exit "$code"
  ) &
  pids="$pids $!"
  local=$((local + 1))
done
for pid in $pids; do
  while kill -0 "$pid" 2>/dev/null && [ "$failed" -eq 0 ]; do wait "$pid"; done
done
[ -e "$note" ] || exit 0
read -r rank code <"$note"
echo "cloche: rank $rank ended with exit code $code; the others are ended"
kill -TERM $pids 2>/dev/null
tries=0
for pid in $pids; do
  while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 50 ]; do
    sleep 0.1
    tries=$((tries + 1))
  done
done
exit "$code"
)sh";

// $1: the command, $2: ranks, $4: logs.
constexpr std::string_view kMpi = R"sh(
trap : TERM INT HUP
if ! command -v mpirun >/dev/null 2>&1; then
  echo "cloche: mpirun is not in the image" >&2
  exit 127
fi
if command -v bash >/dev/null 2>&1; then shell=bash; else shell=sh; fi
export CLOCHE_RANK_COMMAND="$1" CLOCHE_RANK_LOGS="$4" CLOCHE_RANK_SHELL="$shell"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
mpirun --oversubscribe --bind-to none -np "$2" sh -c '
  exec >>"$CLOCHE_RANK_LOGS/std_log_$OMPI_COMM_WORLD_RANK.txt" 2>&1
  export RANK="$OMPI_COMM_WORLD_RANK" LOCAL_RANK="$OMPI_COMM_WORLD_LOCAL_RANK"
  exec "$CLOCHE_RANK_SHELL" -c "$CLOCHE_RANK_COMMAND"' &
child=$!
while :; do
  wait "$child"; code=$?
  kill -0 "$child" 2>/dev/null || exit "$code"
done
)sh";

}  // namespace

std::vector<std::string> entry_script(const definition::JobDistribution& distribution, int instance,
                                      const std::string& command, const ScriptPlaces& places) {
  using Kind = definition::JobDistribution::Kind;
  const std::string_view script = distribution.kind == Kind::kPyTorch ? kRanks
                                  : distribution.kind == Kind::kMpi   ? kMpi
                                                                      : kSingle;
  std::vector<std::string> out = {"/bin/sh", "-c", std::string(script), "cloche-job", command};
  if (distribution.kind != Kind::kNone) {
    const int processes = distribution.processes_per_instance;
    out.push_back(fmt::format("{}", processes));
    out.push_back(fmt::format("{}", instance * processes));
    out.push_back(places.user_logs);
    out.push_back(places.state);
  }
  return out;
}

}  // namespace cloche::jobs
