#!/usr/bin/python3
"""How long a container takes to start: `cloche run ENV -- true` beside the bare runtime's `run` of the same root file system.

    bench/start.py [build/release/bin/cloche] [--rounds 15]

Whole processes, interleaved; wall time and the CPU time of all processes together. Needs root, runc and Debian's busybox-static.
"""
import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/cli"))
sys.path.insert(0, str(ROOT / "tests"))
import test_run  # noqa: E402: the image that the tests use


def measured(command, folder, environment):
    """Milliseconds of wall time, and of CPU of the command and all that it waited for."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall * 1000, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def bare_bundle(folder, layer, runc):
    """What runc needs for the same files: its own default config, without a terminal."""
    bundle = folder / "bundle"
    bundle.mkdir()
    subprocess.run([runc, "spec"], cwd=bundle, check=True)
    config = json.loads((bundle / "config.json").read_text())
    config["process"].update(terminal=False, args=["true"])
    config["root"] = {"path": str(layer), "readonly": True}
    (bundle / "config.json").write_text(json.dumps(config))
    return bundle


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", nargs="?", default=str(ROOT / "build/release/bin/cloche"))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--runc", default="/usr/sbin/runc")
    options = parser.parse_args()
    program = os.path.abspath(options.program)
    with tempfile.TemporaryDirectory(prefix="cloche-start-", dir="/var/tmp") as name:
        folder = pathlib.Path(name)
        test_run.root_file_system(folder / "tiny.tar")
        environment = {**os.environ, "HOME": name, "CLOCHE_CACHE": str(folder / "cache")}
        for words in (["workspace", "init"], ["image", "import", "tiny.tar", "tiny:1"], ["env", "create", "--image", "tiny:1", "--name", "tiny"], ["run", "tiny", "--", "true"]):
            subprocess.run([program, *words], cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        layer = next(one for one in (folder / "cache/unpacked").iterdir() if one.is_dir())
        bundle = bare_bundle(folder, layer, options.runc)
        commands = {
            "runc run": [options.runc, "--root", str(folder / "state"), "run", "--bundle", str(bundle), "bare"],
            "cloche run": [program, "run", "tiny", "--", "true"],
            "cloche --version": [program, "--version"],
        }
        times = {what: [] for what in commands}
        for _ in range(options.rounds):
            for what, command in commands.items():
                times[what].append(measured(command, folder, environment))
        print(f"{options.rounds} rounds, load {os.getloadavg()[0]:.1f}")
        for what, values in times.items():
            wall, cpu = zip(*values)
            print(f"{what:18} wall: lowest {min(wall):6.1f} ms, median {statistics.median(wall):6.1f} ms; CPU: lowest {min(cpu):6.1f} ms, median {statistics.median(cpu):6.1f} ms")


if __name__ == "__main__":
    main()
