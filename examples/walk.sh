#!/usr/bin/env bash
# A walk through the older examples: registering, comparing, linting, exporting; in a workspace of its own, removed
# afterwards. Usage: walk.sh PROGRAM
set -euo pipefail
program=$(realpath "$1")
cd "$(dirname "$0")"
CLOCHE_WORKSPACE=$(mktemp -d)/.cloche
export CLOCHE_WORKSPACE
trap 'rm -rf "$(dirname "$CLOCHE_WORKSPACE")"' EXIT

step() {
  printf '\n# %s\n$ cloche' "$1"
  shift
  printf ' %q' "$@"
  printf '\n'
  "$program" "$@"
}

step "a conda file becomes a version with a fingerprint" env create -f conda/environment.yml
step "the same again is the same version" env create -f conda/environment.yml
sed 's/numpy=1.26/numpy=2.0/' conda/environment.yml >"$(dirname "$CLOCHE_WORKSPACE")/environment.yml"
step "one pin changed: the next version" env create -f "$(dirname "$CLOCHE_WORKSPACE")/environment.yml"
step "what changed, package by package" env diff digits:1 digits:2
step "and why the fingerprint did" env explain digits:1 digits:2
step "Azure ML v2 files work as they are" env create -f azureml-v2/environment.yml
step "so do v1 directories" env create -f azureml-v1
step "a build context: only what it copies counts" env create -f dockerfile --name scorer
step "what is there, curated environments included" env list
cat >"$(dirname "$CLOCHE_WORKSPACE")/Dockerfile" <<'END'
FROM python:3.8
COPY . .
RUN pip install torch
RUN apt-get install git
CMD ["cd /app && python train.py"]
END
step "pitfalls in a Dockerfile, with their lines (it exits 1)" env lint "$(dirname "$CLOCHE_WORKSPACE")/Dockerfile" || true
step "any format out again" env export digits:2 --format dockerfile -o -
step "who did what, when" env history digits
