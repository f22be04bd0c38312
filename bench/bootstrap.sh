#!/usr/bin/env bash
# Base images beside mmdebstrap, both with all packages on this disk and interleaved: seconds, CPU seconds, sizes, and whether the files
# are the same.   bench/bootstrap.sh DEBS [SUITE] [ROUNDS]     as root; DEBS: a folder of .deb files of the suite's minbase
set -euo pipefail
debs=$(realpath "$1") suite=${2:-bookworm} rounds=${3:-3}
cloche=${CLOCHE:-$(dirname "$0")/../build/release/bin/cloche}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# An archive of these packages alone, for both.
mirror=$work/mirror index=dists/$suite/main/binary-amd64
mkdir -p "$mirror/pool" "$mirror/$index"
ln "$debs"/*.deb "$mirror/pool/" 2>/dev/null || cp "$debs"/*.deb "$mirror/pool/"
(cd "$mirror" && dpkg-scanpackages -m pool 2>/dev/null >"$index/Packages" &&
  { printf 'Origin: Debian\nSuite: %s\nCodename: %s\nDate: %s\nArchitectures: amd64\nComponents: main\nSHA256:\n' \
      "$suite" "$suite" "$(date -u -R | sed 's/+0000/UTC/')" &&
    printf ' %s %s main/binary-amd64/Packages\n' "$(sha256sum "$index/Packages" | cut -d' ' -f1)" "$(stat -c %s "$index/Packages")"; } \
    >"dists/$suite/Release")
echo "deb [trusted=yes] file:$mirror $suite main" >"$work/sources.list"

# The archive says that apt is required; the .deb, of which this index is made, says only important.
hooks=(--include=apt)
if [ "$suite" = bookworm ]; then hooks=(--include=apt,usr-is-merged --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr); fi
measure() {  # NAME COMMAND...
  local name=$1
  shift
  /usr/bin/env time -f "$name %e s, %U + %S CPU-s" "$@" >"$work/$name.out" 2>"$work/$name.err" || { cat "$work/$name.err"; exit 1; }
  tail -1 "$work/$name.err"
}
echo "$suite, $(ls "$mirror/pool" | wc -l) packages, load $(cut -d' ' -f1-3 /proc/loadavg)"
for _ in $(seq "$rounds"); do
  rm -rf "$work/workspace" "$work/cache" "$work/minbase.tar"
  CLOCHE_CACHE=$work/cache measure cloche "$cloche" --workspace "$work/workspace" image bootstrap "debian:$suite" --sources "$work/sources.list"
  grep -o 'sha256:[0-9a-f]*' "$work/cloche.out"
  SOURCE_DATE_EPOCH=1700000000 measure mmdebstrap mmdebstrap --variant=minbase "${hooks[@]}" "$suite" "$work/minbase.tar" \
    "deb [trusted=yes] copy:$mirror $suite main"
done
CLOCHE_CACHE=$work/cache measure again "$cloche" --workspace "$work/workspace" image bootstrap "debian:$suite" --sources "$work/sources.list"
echo "cloche: $(grep -o '[0-9.]* [kM]B' "$work/cloche.out") compressed; mmdebstrap: $(stat -c %s "$work/minbase.tar") bytes of tar, $(zstd -3 -c "$work/minbase.tar" | wc -c) with zstd -3"
python3 "$(dirname "$0")/bootstrap_compare.py" "$work/workspace" "debian:$suite" "$work/minbase.tar"
