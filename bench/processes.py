#!/usr/bin/env python3
"""Whole processes, medians of many runs, each beside what people use for the same today (where it is installed).

Usage: processes.py CLOCHE [RUNS]
"""
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"


def measure(command, runs, env):
    """Median wall and CPU milliseconds of a command, after two runs that do not count."""
    walls, cpus = [], []
    for run in range(runs + 2):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        done = subprocess.run(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        wall = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stderr.decode()}")
        if run >= 2:
            walls.append(wall * 1000)
            cpus.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000)
    return statistics.median(walls), statistics.median(cpus)


def python_rival(code):
    python = "/usr/bin/python3"
    if not shutil.which(python):
        return None
    command = [python, "-c", code]
    works = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0
    return command if works else None


def main():
    cloche = sys.argv[1]
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "CLOCHE_WORKSPACE": f"{folder}/.cloche"}
        conda = EXAMPLES / "conda/environment.yml"
        requirements = EXAMPLES / "requirements/requirements.txt"
        subprocess.run([cloche, "env", "create", "-f", conda], env=env, check=True, stdout=subprocess.DEVNULL)
        rows = [
            ("env show (one version)", [cloche, "env", "show", "digits"]),
            ("env list", [cloche, "env", "list"]),
            ("env create, the same again", [cloche, "env", "create", "-f", conda]),
            ("env lint of a Dockerfile", [cloche, "env", "lint", EXAMPLES / "dockerfile/Dockerfile"]),
            ("read an environment.yml", [cloche, "env", "show", conda]),
            ("  rival: PyYAML alone", python_rival(f"import yaml; yaml.safe_load(open('{conda}'))")),
            ("read a requirements.txt", [cloche, "env", "show", requirements]),
            (
                "  rival: pip's own parser",
                python_rival(
                    "from pip._internal.req.req_file import parse_requirements as p; "
                    "from pip._internal.network.session import PipSession as s; "
                    f"list(p('{requirements}', s()))"
                ),
            ),
            ("  floor: true", ["/bin/true"]),
        ]
        print(f"{'whole process':32} {'wall ms':>8} {'CPU ms':>8}   (medians of {runs})")
        for name, command in rows:
            if command is None:
                print(f"{name:32} {'absent':>8}")
                continue
            wall, cpu = measure(command, runs, env)
            print(f"{name:32} {wall:8.2f} {cpu:8.2f}")


if __name__ == "__main__":
    main()
