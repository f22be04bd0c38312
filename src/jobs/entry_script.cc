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

// What mpirun starts in place of a rank; the variables are those of the script around it, in each
// instance's own.
constexpr std::string_view kMpiRanks = R"sh(
if command -v bash >/dev/null 2>&1; then shell=bash; else shell=sh; fi
export CLOCHE_RANK_COMMAND="$1" CLOCHE_RANK_LOGS="$4" CLOCHE_RANK_SHELL="$shell"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
rank='
  exec >>"$CLOCHE_RANK_LOGS/std_log_$OMPI_COMM_WORLD_RANK.txt" 2>&1
  export RANK="$OMPI_COMM_WORLD_RANK" LOCAL_RANK="$OMPI_COMM_WORLD_LOCAL_RANK"
  exec "$CLOCHE_RANK_SHELL" -c "$CLOCHE_RANK_COMMAND"'
)sh";

// $1: the command, $2: ranks in each instance, $4: logs, $5: state, $6: the instances, if there are
// several, as mpirun wants them, $7: all ranks.
//
// Images have no sshd, so what mpirun takes for ssh is a script of ours. It leaves the command for
// the other instance as a file, says so through one FIFO, and hears of the command's end through
// the other; both lie in the state folder, which is mounted into this job's instances and no
// others. A FIFO is opened by both sides at once, so neither looks again and again for the other.
// The answer is opened for reading and writing: nobody waits for a side that is gone.
constexpr std::string_view kMpi = R"sh(
trap : TERM INT HUP
if ! command -v mpirun >/dev/null 2>&1; then
  echo "cloche: mpirun is not in the image" >&2
  exit 127
fi
state=$5 hosts=$6 count=$7
agent='
state=${0%/*} host=$1
shift
if [ ! -p "$state/launch_$host" ]; then
  echo "cloche: $host is no instance of this job" >&2
  exit 1
fi
printf "%s\n" "$*" >"$state/command_$host"
exec 4<>"$state/ended_$host"
echo >"$state/launch_$host"
read -r code <&4
exit "$code"
'
set --
if [ -n "$hosts" ]; then
  printf '%s' "$agent" >"$state/agent"
  export OMPI_MCA_plm=rsh OMPI_MCA_plm_rsh_agent="/bin/sh $state/agent"
  export OMPI_MCA_plm_rsh_assume_same_shell=1 OMPI_MCA_plm_rsh_no_tree_spawn=1
  set -- --leave-session-attached --map-by slot --host "$hosts"
fi
mpirun --oversubscribe --bind-to none "$@" -np "$count" sh -c "$rank" &
child=$!
while :; do
  wait "$child"; code=$?
  kill -0 "$child" 2>/dev/null || break
done
if [ "$code" -eq 0 ]; then
  for one in "$state"/launch_*; do
    host=${one##*/launch_}
    if [ -p "$one" ] && [ ! -e "$state/command_$host" ]; then
      echo "cloche: mpirun has ended and started nothing on $host" >&2
      code=1
    fi
  done
fi
exit "$code"
)sh";

// Of instances but the first. $5: state, $6: its own name. Runs what the first one's mpirun wants
// to be run here (orted), once; SIGTERM ends it before. How the ranks ended, mpirun tells.
constexpr std::string_view kMpiHelper = R"sh(
state=$5 host=$6
read -r go <"$state/launch_$host" || exit 1
trap : TERM INT HUP
sh "$state/command_$host" &
child=$!
while :; do
  wait "$child"; code=$?
  kill -0 "$child" 2>/dev/null || break
done
exec 3<>"$state/ended_$host"
echo "$code" >&3
exit 0
)sh";

// "node-0:2,node-1:2"; "" for one alone.
std::string mpi_hosts(const std::vector<std::string>& hosts, int processes) {
  std::string out;
  for (const std::string& host : hosts) {
    out += fmt::format("{}{}:{}", out.empty() ? "" : ",", host, processes);
  }
  return hosts.size() > 1 ? out : std::string();
}

std::string script_of(const definition::JobDistribution& distribution, int instance) {
  using Kind = definition::JobDistribution::Kind;
  switch (distribution.kind) {
    case Kind::kNone:
      return std::string(kSingle);
    case Kind::kPyTorch:
      return std::string(kRanks);
    case Kind::kMpi:
      return std::string(kMpiRanks) + std::string(instance == 0 ? kMpi : kMpiHelper);
  }
  return {};
}

}  // namespace

std::vector<std::string> entry_script(const definition::JobDistribution& distribution,
                                      const std::vector<std::string>& hosts, int instance,
                                      const std::string& command, const ScriptPlaces& places) {
  using Kind = definition::JobDistribution::Kind;
  std::vector<std::string> out = {"/bin/sh", "-c", script_of(distribution, instance), "cloche-job",
                                  command};
  if (distribution.kind == Kind::kNone) {
    return out;
  }
  const int processes = distribution.processes_per_instance;
  out.push_back(fmt::format("{}", processes));
  out.push_back(fmt::format("{}", instance * processes));
  out.push_back(places.user_logs);
  out.push_back(places.state);
  if (distribution.kind == Kind::kMpi) {
    out.push_back(instance == 0 ? mpi_hosts(hosts, processes)
                                : hosts.at(static_cast<std::size_t>(instance)));
    out.push_back(fmt::format("{}", hosts.size() * static_cast<std::size_t>(processes)));
  }
  return out;
}

}  // namespace cloche::jobs
