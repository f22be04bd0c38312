#!/usr/bin/env python3
"""Packages to files as whole processes: `cloche env install` of 36 packages (98 MB, bench/make_conda_packages.py), beside
conda-package-handling (`cph extract`) where it is installed, which only unpacks, and the floor of decompressing alone.

Usage: conda_packages.py CLOCHE [FOLDER [RUNS]]     FOLDER keeps the packages for the next time.
"""
import json
import multiprocessing
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile

import make_conda_packages
from conda_solve import usage_of


def make_channel(folder):
    subdir = folder / "linux-64"
    if (subdir / "repodata.json").exists():
        return
    subdir.mkdir(parents=True, exist_ok=True)
    (folder / "noarch").mkdir(exist_ok=True)
    (folder / "noarch/repodata.json").write_text("{}")
    records = {}
    for number, files in enumerate(make_conda_packages.shares()):
        records[f"bench{number:02d}-1.0-0.conda"] = make_conda_packages.write_package(subdir, number, files)
    (subdir / "repodata.json").write_text(json.dumps({"packages": {}, "packages.conda": records}))


def row(name, runs, command, before=lambda: None):
    """`command` is a function, since each run may need another; medians."""
    results = []
    for _ in range(runs + 1):
        before()
        results.append(usage_of(command(), ENVIRONMENT))
    code, wall, cpu, peak = (statistics.median(column) for column in zip(*results[1:]))
    print(f"{name:58} {wall:8.0f} {cpu:8.0f} {peak:7.0f}   {'' if code == 0 else f'exit {int(code)}'}", flush=True)


ENVIRONMENT = {}


def main():
    cloche = pathlib.Path(sys.argv[1]).resolve()
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory() as disk, tempfile.TemporaryDirectory(dir=memory) as quick:
        disk, quick = pathlib.Path(disk), pathlib.Path(quick)
        channel = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else disk / "channel"
        maker = multiprocessing.Process(target=make_channel, args=(channel,))  # a child's peak begins with its parent's
        maker.start()
        maker.join()
        packages = sorted((channel / "linux-64").glob("*.conda"))
        names = [path.name.split("-")[0] for path in packages]
        definition = disk / "environment.yml"
        definition.write_text(json.dumps({"channels": [f"file://{channel}"], "dependencies": names}))
        ENVIRONMENT.update({"PATH": os.environ["PATH"], "HOME": str(disk), "CLOCHE_CACHE": f"{disk}/cache"})
        program = [cloche, "--workspace", disk / "ws", "env"]
        subprocess.run([*program, "lock", definition], env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)
        payloads = []
        for path in packages:  # what is compressed within, for the floor
            with zipfile.ZipFile(path) as archive:
                payloads += [archive.extract(name, quick / "payloads") for name in archive.namelist() if name.endswith(".zst")]

        print(f"{len(packages)} packages {'':46} {'wall ms':>8} {'CPU ms':>8} {'peak MB':>7}   (medians of {runs})")
        row("floor: zstd -d of the same, thrown away", runs, lambda: ["zstd", "-dqf", *payloads, "-o", "/dev/null"])
        for name, place in (("memory", quick), ("disk", disk)):
            prefix = place / "prefix"
            clean = lambda prefix=prefix: shutil.rmtree(prefix, ignore_errors=True)
            row(f"cloche env install, into {name}", runs, lambda prefix=prefix: [*program, "install", definition, prefix], clean)
            clean()
        if shutil.which("cph"):
            for name, place in (("memory", quick), ("disk", disk)):
                prefix = place / "cph"
                clean = lambda prefix=prefix: shutil.rmtree(prefix, ignore_errors=True)
                script = f"for p in {channel}/linux-64/*.conda; do cph x $p --dest {prefix}/$(basename $p .conda) || exit 1; done"
                row(f"rival: cph extract into {name} (no prefixes, no records)", runs, lambda script=script: ["sh", "-c", script], clean)
                clean()


if __name__ == "__main__":
    main()
