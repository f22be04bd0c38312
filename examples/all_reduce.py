#!/usr/bin/env python3
"""Real all-reduce in jobs, over torch.distributed and over MPI, in one container and between two.

Needs what ./dev demo made (build/demo), and Debian's archive for OpenMPI, whose packages become an image.

Usage: all_reduce.py BUILD_DIRECTORY
"""
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples/all-reduce"
PLACE = ROOT / "build/demo"
WORKSPACE = PLACE / ".cloche"


def cloche(program, *words, check=True):
    environment = {**os.environ, "CLOCHE_WORKSPACE": str(WORKSPACE), "CONDARC": str(PLACE / "condarc")}
    return subprocess.run([str(program), *map(str, words)], env=environment, cwd=ROOT, check=check, capture_output=True, text=True)


def run_job(program, file, ranks):
    """A job to its end: every rank must have said the sum."""
    name = f"{file.stem}-{time.strftime('%Y%m%d-%H%M%S')}"
    begin = time.monotonic()
    done = cloche(program, "job", "create", "-f", file, "--name", name, "--stream", check=False)
    logs = {path.name: path.read_text() for path in sorted((WORKSPACE / "jobs" / name / "user_logs").glob("*"))}
    said = [line for text in logs.values() for line in re.findall(r"^rank \d+ of .*: sum \d+$", text, re.M)]
    print(f"== {file.relative_to(ROOT)}: exit code {done.returncode}, {time.monotonic() - begin:.1f} s")
    print("".join(f"   {line}\n" for line in said), end="")
    expected = [f"rank {rank} of {ranks} " for rank in range(ranks)]
    right = [any(line.startswith(start) and line.endswith(f" sum {ranks * (ranks + 1) // 2}") for line in said) for start in expected]
    if done.returncode != 0 or not all(right):
        raise SystemExit(f"all-reduce: {name} failed\n{done.stderr}\n" + "\n".join(f"-- {n}\n{text}" for n, text in logs.items()))


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    program = pathlib.Path(sys.argv[1]).resolve() / "bin/cloche"
    if not (PLACE / "condarc").exists():
        print("all-reduce: skipped: no build/demo; run ./dev demo first")
        return
    cloche(program, "env", "create", "--image", "debian:bookworm", "--apt", "openmpi-bin", "--apt", "python3-mpi4py", "--name", "openmpi")
    for file, ranks in (("torch.yml", 2), ("torch-instances.yml", 4), ("mpi.yml", 2), ("mpi-instances.yml", 4)):
        run_job(program, EXAMPLE / file, ranks)


if __name__ == "__main__":
    main()
