#!/usr/bin/python3
"""Jobs: many in a row, many at once, a large log; and that nothing is left behind.

    bench/jobs.py [build/release/bin/cloche] [--row 200] [--at-once 20] [--log-mb 1000]

Needs root, runc or crun, and Debian's busybox-static and python3-pytest (for /usr/bin/python3).
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/cli"))
sys.path.insert(0, str(ROOT / "tests"))
import boxes  # noqa: E402: the image that the tests use


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", nargs="?", default=str(ROOT / "build/release/bin/cloche"))
    parser.add_argument("--row", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--log-mb", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cloche-jobs-") as folder:
        bench = Bench(pathlib.Path(folder), os.path.abspath(options.program))
        bench.warm()
        if options.row:
            bench.in_a_row(options.row)
        if options.at_once:
            bench.at_once(options.at_once)
        if options.log_mb:
            bench.large_log(options.log_mb)
        bench.nothing_left()


class Bench:
    def __init__(self, folder, program):
        self.folder, self.program = folder, program
        (folder / "code").mkdir()
        self.environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        self.workspace = pathlib.Path(json.loads(self.run("workspace", "init", "--output", "json").stdout)["directory"])
        boxes.add_busybox_image(self.workspace, "box:1")

    def run(self, *words, check=True, **options):
        return subprocess.run([self.program, *words], cwd=self.folder, env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=check, **options)

    def create(self, name, *words, stream=True):
        flags = ["--stream"] if stream else []
        return self.run("job", "create", "--image", "box:1", "--code", "code", "--cpus", "0.1", "--name", name, *flags, "--", *words)

    def jobs(self):
        return json.loads(self.run("job", "list", "--max", "0", "--output", "json").stdout)["jobs"]

    def warm(self):
        began = time.monotonic()
        self.create("warm", "true")
        print(f"first job, image prepared and unpacked: {time.monotonic() - began:.2f} s")

    def in_a_row(self, count):
        began, cpu = time.monotonic(), os.times()
        for i in range(count):
            self.create(f"row-{i}", "true")
        wall = time.monotonic() - began
        used = os.times().children_user + os.times().children_system - cpu.children_user - cpu.children_system
        done = sum(job["status"] == "Completed" for job in self.jobs() if job["name"].startswith("row-"))
        print(f"{count} jobs in a row: {wall:.1f} s, {1000 * wall / count:.0f} ms each ({1000 * used / count:.0f} ms of CPU in the command); {done} completed")
        assert done == count

    def at_once(self, count):
        began = time.monotonic()
        started = [subprocess.Popen([self.program, "job", "create", "--image", "box:1", "--code", "code", "--cpus", "0.1", "--name", f"once-{i}", "--stream",
                                     "--", "sh", "-c", f"echo {i}"], cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                   for i in range(count)]
        good = 0
        for i, one in enumerate(started):
            out, err = one.communicate()
            good += one.returncode == 0 and out.startswith(f"{i}\n".encode())
            if one.returncode != 0:
                print(err.decode())
        print(f"{count} jobs at once: {time.monotonic() - began:.1f} s; {good} right")
        assert good == count

    def large_log(self, megabytes):
        began = time.monotonic()
        self.create("log", "sh", "-c", f"dd if=/dev/zero bs=1M count={megabytes} 2>/dev/null | tr '\\000' x | fold -w 99", stream=False)
        while True:
            job = json.loads(self.run("job", "show", "log", "--output", "json").stdout)
            if job["status"] in ("Completed", "Failed"):
                break
            time.sleep(0.2)
        size = (self.workspace / "jobs/log/user_logs/std_log.txt").stat().st_size
        times = (self.workspace / "jobs/log/log_times/std_log.txt").stat().st_size
        print(f"a log of {size / 1e6:.0f} MB: job of {time.monotonic() - began:.1f} s, {job['status']}, its index {times} bytes")
        began = time.monotonic()
        usage = subprocess.run(["/usr/bin/env", "python3", "-c", MEASURE, self.program, str(self.folder)], env=self.environment, stdout=subprocess.PIPE, check=True)
        print(f"streamed late: {time.monotonic() - began:.1f} s, {usage.stdout.decode().strip()}")

    def nothing_left(self):
        end = time.monotonic() + 20
        while boxes.processes_of(self) and time.monotonic() < end:
            time.sleep(0.1)
        left = {
            "processes": boxes.processes_of(self),
            "mounts": boxes.mounts_of(self),
            "containers": [str(one) for one in (self.folder / ".cache/cloche/containers").glob("job-*")],
            "temporary": [str(one) for name in ["work", "state", "lib", "hosts", "reserve"] for one in (self.workspace / "jobs").glob(f"*/{name}")],
        }
        print("left behind:", {name: len(found) for name, found in left.items()})
        assert not any(left.values()), left


MEASURE = """
import os, resource, subprocess, sys
out = subprocess.run([sys.argv[1], "job", "stream", "log"], cwd=sys.argv[2], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"exit code {out.returncode}, peak memory {usage.ru_maxrss / 1000:.0f} MB, {usage.ru_utime + usage.ru_stime:.1f} s of CPU")
"""

if __name__ == "__main__":
    main()
