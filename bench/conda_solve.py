#!/usr/bin/env python3
"""Solving against conda channels as whole processes (`cloche env lock`), beside micromamba where it is installed.

Usage: conda_solve.py CLOCHE DATA [RUNS]
DATA holds channels: DATA/cf-real and DATA/cf-scaled, each with linux-64/ and noarch/ (repodata.json or repodata.json.zst).
"""
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SCIENCE = ["python=3.9", "numpy", "pandas", "scikit-learn", "matplotlib", "pip"]
PYTORCH = ["pytorch", "torchvision", "scikit-learn", "numpy", "pandas", "matplotlib", "pip"]
CONFLICT = ["python=3.9", "numpy>=2.3", "pandas", "scikit-learn"]


def usage_of(command, env):
    """Exit code, wall and CPU milliseconds, peak MB of one run."""
    start = time.perf_counter()
    child = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    cpu = usage.ru_utime + usage.ru_stime
    return os.waitstatus_to_exitcode(status), wall * 1000, cpu * 1000, usage.ru_maxrss / 1024


class Bench:
    def __init__(self, cloche, folder, runs):
        self.cloche, self.folder, self.runs = cloche, pathlib.Path(folder), runs
        self.env = {"PATH": os.environ["PATH"], "HOME": str(folder), "CLOCHE_CACHE": f"{folder}/cache"}

    def request(self, channel, specs):
        path = self.folder / "environment.yml"
        path.write_text(json.dumps({"channels": [f"file://{channel}"], "dependencies": specs}))
        return path

    def lock(self, channel, specs):
        """One solve as if for the first time, in a workspace that is there."""
        command = [self.cloche, "--workspace", str(self.folder / "ws"), "env", "lock", "--update-all"]
        return usage_of([*command, self.request(channel, specs)], self.env)

    def row(self, name, channel, specs, before=lambda: None):
        results = []
        for run in range(self.runs + 1):
            before()
            result = self.lock(channel, specs)
            if run > 0:
                results.append(result)
        code, wall, cpu, peak = (statistics.median(column) for column in zip(*results))
        print(f"{name:46} {wall:8.1f} {cpu:8.1f} {peak:7.0f}   {'' if code == 0 else f'exit {int(code)}'}", flush=True)
        return cpu

    def forget(self):
        shutil.rmtree(self.folder / "cache", ignore_errors=True)


def rival(channel, specs, folder):
    if not shutil.which("micromamba"):
        return
    command = ["micromamba", "create", "-r", folder, "-n", "x", "--dry-run", "-y", "--override-channels"]
    command += ["-c", f"file://{channel}", *specs]
    usage_of(command, os.environ)
    code, wall, cpu, peak = usage_of(command, os.environ)
    print(f"{'  rival: micromamba, warm cache':46} {wall:8.1f} {cpu:8.1f} {peak:7.0f}   {'' if code == 0 else f'exit {code}'}")


def plain(channel, folder):
    """The channel with repodata.json uncompressed, so that a load is parsing and indexing alone."""
    out = pathlib.Path(folder) / ("plain-" + channel.name)
    for subdir in ["linux-64", "noarch"]:
        (out / subdir).mkdir(parents=True)
        packed = channel / subdir / "repodata.json.zst"
        if packed.exists():
            subprocess.run(["zstd", "-qd", packed, "-o", out / subdir / "repodata.json"], check=True)
        else:
            shutil.copy(channel / subdir / "repodata.json", out / subdir)
    return out


def settle():
    """A file of this very moment is hashed at each use: it may change once more without a new time."""
    time.sleep(2.5)


def apart(function, *arguments):
    """Runs it in a process of its own: a child's peak memory begins with that of its parent."""
    source = f"import sys; sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r}); import conda_solve, json, pathlib\n"
    call = f"print(json.dumps(conda_solve.{function.__name__}(*map(json.loads, sys.argv[1:]))))"
    words = [json.dumps(str(one) if isinstance(one, pathlib.Path) else one) for one in arguments]
    return json.loads(subprocess.run([sys.executable, "-c", source + call, *words], check=True, capture_output=True).stdout)


def scaled(channel, times, folder):
    """A channel with `times` as many packages, of which a request reaches as many as before."""
    channel, out = pathlib.Path(channel), pathlib.Path(folder) / f"{times}x"
    for subdir in ["linux-64", "noarch"]:
        data = json.loads((channel / subdir / "repodata.json").read_text())
        for section in ["packages", "packages.conda"]:
            records = data.get(section, {})
            for key, record in list(records.items()):
                for copy in range(1, times):
                    name = f"zz{copy}-{record['name']}"
                    records[key.replace(record["name"], name, 1)] = {**record, "name": name}
        (out / subdir).mkdir(parents=True)
        path = out / subdir / "repodata.json"
        path.write_text(json.dumps(data))
    return str(out)


def random_requests(channel, count):
    """The same at every run: two to six names of packages, half of them with a Python."""
    channel, names, out = pathlib.Path(channel), set(), []
    for subdir in ["linux-64", "noarch"]:
        data = json.loads((channel / subdir / "repodata.json").read_text())
        for section in ["packages", "packages.conda"]:
            names.update(record["name"] for record in data.get(section, {}).values())
    names = sorted(name for name in names if not name.startswith("_"))
    chooser = random.Random(36)
    for number in range(count):
        python = [f"python=3.{chooser.randint(9, 13)}"] if number % 2 == 0 else []
        out.append(python + chooser.sample(names, chooser.randint(2, 6)))
    return out


def main():
    cloche, data = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 9
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(cloche, folder, runs)
        print(f"{'whole process':46} {'wall ms':>8} {'CPU ms':>8} {'peak MB':>7}   (medians of {runs})")
        big, real = plain(data / "cf-scaled", folder), plain(data / "cf-real", folder)
        settle()
        size = sum(path.stat().st_size for path in big.glob("*/repodata.json")) / 1e6

        cold = bench.row("cf-scaled, first load, one small package", big, ["ca-certificates"], bench.forget)
        warm = bench.row("cf-scaled, the same with the index", big, ["ca-certificates"])
        print(f"{'  first load: MB of JSON per CPU second':46} {'':8} {size / (cold - warm) * 1000:8.0f}")
        packed = bench.row("cf-scaled as .zst, first load", data / "cf-scaled", ["ca-certificates"], bench.forget)
        print(f"{'  the same with decompression':46} {'':8} {size / (packed - warm) * 1000:8.0f}")
        bench.row("cf-scaled, science environment", data / "cf-scaled", SCIENCE)
        rival(data / "cf-scaled", SCIENCE, folder)
        bench.row("cf-scaled, PyTorch environment", data / "cf-scaled", PYTORCH)
        rival(data / "cf-scaled", PYTORCH, folder)
        bench.row("cf-scaled, a conflict with ways out", data / "cf-scaled", CONFLICT)
        bench.row("cf-real, science environment", real, SCIENCE)
        bench.row("cf-real, a conflict with ways out", real, CONFLICT)

        bench.lock(real, ["zlib"])
        results = [bench.lock(real, specs) for specs in apart(random_requests, real, 36)]
        solved = [cpu for code, _, cpu, _ in results if code == 0]
        refused = [cpu for code, _, cpu, _ in results if code != 0]
        print(f"{'cf-real, 36 random requests: median':46} {'':8} {statistics.median(c for _, _, c, _ in results):8.1f}")
        for name, values in [("solved", solved), ("refused, with explanation", refused)]:
            if values:
                text = f"  {len(values)} {name}: median, greatest"
                print(f"{text:46} {statistics.median(values):8.1f} {max(values):8.1f}")
        for times in [1, 4, 10]:
            channel = apart(scaled, real, times, folder)
            settle()
            bench.lock(channel, ["zlib"])
            bench.row(f"cf-real times {times}, science environment", channel, SCIENCE)


if __name__ == "__main__":
    main()
