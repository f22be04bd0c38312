#!/usr/bin/env python3
"""Building and pushing images as whole processes, beside `buildah bud` and `buildah push` where they are installed.

An environment of 150 packages (98 MB, bench/make_conda_packages.py) goes to a docker-registry on loopback: cold, again,
and with one package changed. Two rivals: one copies the same files, already installed, into an image of its own (no solving,
no unpacking); the other has a Dockerfile whose RUN installs the packages as any conda does, and does it with our own fast
`env install`. Usage: images.py CLOCHE [FOLDER]     FOLDER keeps the packages for the next time.
"""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import make_conda_packages

PACKAGES = 150
CHANGED = 75


def make_channel(folder):
    """The packages, and two of one of them; writes repodata.json with the first."""
    subdir = folder / "linux-64"
    if not (folder / "records.json").exists():
        subdir.mkdir(parents=True)
        records = {}
        for number, files in enumerate(make_conda_packages.shares(PACKAGES)):
            records[f"bench{number:02d}-1.0-0.conda"] = make_conda_packages.write_package(subdir, number, files)
            if number == CHANGED:
                files = [(path, content + b"\n# changed\n", mode) for path, content, mode in files]
                records["new"] = make_conda_packages.write_package(subdir, number, files, "1.1")
        (folder / "records.json").write_text(json.dumps(records))
    records = json.loads((folder / "records.json").read_text())
    new = records.pop("new")
    (folder / "noarch").mkdir(exist_ok=True)
    (folder / "noarch/repodata.json").write_text("{}")
    publish(folder, records)
    return records, new


def publish(folder, records):
    data = {"info": {"subdir": "linux-64"}, "packages": {}, "packages.conda": records}
    (folder / "linux-64/repodata.json").write_text(json.dumps(data))


def write_base(folder, cloche):
    """A base for a Dockerfile: a shell, our program and the libraries that they load."""
    found = set()
    for program in ("/bin/sh", cloche):
        found.update(re.findall(r"(/\S+)", subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout))
    for path in ["/bin/sh", *sorted(found), *map(str, pathlib.Path("/usr/lib/x86_64-linux-gnu").glob("libcurl.so.4"))]:
        target = folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(path), target)
    shutil.copy(cloche, folder / "bin/cloche")
    (folder / "tmp").mkdir()


class Registry:
    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        config = folder / "registry.yml"
        config.write_text(
            f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {folder}/registry\nhttp:\n  addr: {self.address}\n"
        )
        self.process = subprocess.Popen(
            ["docker-registry", "serve", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(1)


def timed(name, commands, env=None, note=lambda: ""):
    start = os.times()
    for command in commands:
        done = subprocess.run(list(map(str, command)), env=env, capture_output=True, check=False)
        if done.returncode != 0:
            print(f"{name:46} failed: {done.stderr.decode()[-300:]}")
            return None
    end = os.times()
    cpu = end.children_user + end.children_system - start.children_user - start.children_system
    print(f"{name:46} {end.elapsed - start.elapsed:8.2f} {cpu:8.2f}   {note()}", flush=True)
    return json.loads(done.stdout) if done.stdout.startswith(b"{") else None


def main():
    cloche = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        channel = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else folder / "channel"
        records, new = make_channel(channel)
        registry = Registry(folder)
        env = {"PATH": os.environ["PATH"], "HOME": str(folder), "CLOCHE_CACHE": f"{folder}/cache"}

        def write(name, pins):
            specs = [f"{one['name']}={pins.get(one['name'], '1.0')}" for one in records.values()]
            conda = {"channels": [f"file://{channel}"], "dependencies": specs}
            (folder / name).write_text(json.dumps({"name": "bench", "image": "scratch", "conda_file": conda}))
            return folder / name

        def build(path, *words):
            return [cloche, "--workspace", folder / "ws", "env", "build", path, "--output", "json", *words]

        first = write("first.yml", {})
        push = ["--push", f"{registry.address}/ours:1"]
        print(f"{'whole process, seconds':46} {'wall':>8} {'CPU':>8}")
        subprocess.run(list(map(str, build(first, "--dry-run"))), env=env, check=True, capture_output=True)  # the lock
        timed("cold: packages there, build and push", [build(first, *push)], env)
        timed("again: a look-up", [build(first)], env)
        timed("again, with push: nothing to send", [build(first, *push)], env)
        publish(channel, {**records, f"{new['name']}-1.1-0.conda": new})
        second = write("second.yml", {new["name"]: "1.1"})
        answer = timed("one of 150 packages changed: lock, build, push", [build(second, *push, "--refresh")], env)
        if answer:
            shown = subprocess.run(
                [cloche, "--workspace", folder / "ws", "image", "show", answer["digest"], "--output", "json"],
                env=env, check=True, capture_output=True,
            )
            wanted = f"{new['name']} {new['version']}"
            group = next(one for one in json.loads(shown.stdout)["layers"] if wanted in one["packages"])
            print(f"  sent: {answer['pushed']['uploaded_bytes']} bytes in {answer['pushed']['uploaded']} blobs")
            print(f"  of them the package's layer: {group['size']} bytes, {len(group['packages'])} packages")

        if shutil.which("buildah"):
            context = folder / "context"
            install = [cloche, "--workspace", folder / "ws", "env", "install"]
            subprocess.run(list(map(str, [*install, first, context / "env"])), env=env, check=True, capture_output=True)
            (context / "Dockerfile").write_text("FROM scratch\nCOPY env /opt/cloche/env\nENV PATH=/opt/cloche/env/bin\n")
            store = ["--root", folder / "containers", "--runroot", folder / "run", "--storage-driver", "vfs"]
            theirs = [
                ["buildah", *store, "bud", "--layers", "-t", "theirs", context],
                ["buildah", *store, "push", "--tls-verify=false", "theirs", f"docker://{registry.address}/theirs:1"],
            ]
            timed("rival, cold: buildah bud (COPY) and push", theirs)
            subprocess.run(
                list(map(str, [*install, second, context / "env", "--replace"])), env=env, check=True, capture_output=True
            )
            timed("rival, one package changed: bud and push", theirs)

            base, run = folder / "base", folder / "installing"
            base.mkdir()
            run.mkdir()
            write_base(base, cloche)
            for name in (first.name, second.name):
                shutil.copy(folder / name, base / name)
                dockerfile = f"FROM scratch\nCOPY base /\nRUN HOME=/tmp cloche env install /{name} /opt/cloche/env\n"
                (folder / f"Dockerfile.{name}").write_text(dockerfile)
            mounts = ["--volume", f"{channel}:{channel}:ro"]
            runtime = ["--runtime", shutil.which("runc")] if shutil.which("runc") else []

            def installing(name):
                return [
                    ["buildah", *store, *runtime, "bud", "--layers", *mounts, "-f", folder / f"Dockerfile.{name}", "-t", "run", folder],
                    ["buildah", *store, "push", "--tls-verify=false", "run", f"docker://{registry.address}/run:1"],
                ]

            timed("rival whose RUN installs, cold: bud and push", installing(first.name))
            timed("rival whose RUN installs, one package changed", installing(second.name))
        registry.process.kill()


if __name__ == "__main__":
    main()
