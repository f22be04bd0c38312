#!/usr/bin/env python3
"""Installs everything of a test channel into a temporary prefix and imports every top-level module there.

Usage: check_imports.py CLOCHE DIRECTORY     DIRECTORY is where `conda-forge/` is a channel, made by debian_channel
Each module is imported in a process of its own, with nothing in the environment that could help. Exit code 1 when one
fails, 77 when the channel's Python does not run on this machine (a suite whose C library is newer).
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

# Not modules to import: they open a browser, a window, print a poem, or need what Debian keeps in python3-tk, or ask for
# another system; a plugin that pytest loads.
NOT_IMPORTED = {"antigravity", "this", "idlelib", "tkinter", "turtle", "turtledemo", "_tkinter", "lib2to3_fixer", "msilib",
                "__phello__", "_pyrepl", "_android_support", "_apple_support", "_ios_support", "_aix_support", "_hypothesis_pytestplugin"}

# Runs in the channel's Python: imports each word of standard input in a child.
IMPORTER = r"""
import os, sys
failed = 0
for name in sys.stdin.read().split():
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            __import__(name)
            code = 0
        except BaseException as error:
            print(f"{name}: {type(error).__name__}: {error}", flush=True)
            code = 1
        os._exit(code)
    _, status = os.waitpid(child, 0)
    if status > 255 or status & 127:
        failed += 1
        if status & 127:
            print(f"{name}: ended by signal {status & 127}", flush=True)
print("failed", failed)
"""


def modules_of(prefix):
    """Modules by package, out of what each package says that it tests."""
    for archive in sorted((prefix / "conda-meta").glob("*.json")):
        record = json.loads(archive.read_text())
        names = set()
        for path in record["files"]:
            parts = pathlib.PurePosixPath(path).parts
            if parts[:1] != ("lib",) or len(parts) < 3 or not parts[1].startswith("python"):
                continue
            rest = parts[3:] if parts[2] in ("site-packages", "lib-dynload") else parts[2:]
            if len(rest) == 2 and rest[1] == "__init__.py" or len(rest) == 1 and rest[0].endswith((".py", ".so")):
                names.add(rest[0].split(".")[0])
        names = {name for name in names if name.isidentifier() and name not in NOT_IMPORTED and not name.startswith("_sysconfigdata")}
        if names:
            yield record["name"], sorted(names)


def main():
    cloche, directory = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    repodata = [json.loads((directory / "conda-forge" / subdir / "repodata.json").read_text()) for subdir in ("linux-64", "noarch")]
    names = sorted({record["name"] for data in repodata for key in ("packages", "packages.conda") for record in data[key].values()})
    with tempfile.TemporaryDirectory() as temporary:
        temporary = pathlib.Path(temporary)
        (temporary / "condarc").write_text(f"custom_channels:\n  conda-forge: {directory.as_uri()}\n")
        (temporary / "environment.yml").write_text(json.dumps({"name": "all", "channels": ["conda-forge"], "dependencies": names}))
        prefix = temporary / "prefix"
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(temporary), "CONDARC": str(temporary / "condarc"), "CONDA_OVERRIDE_GLIBC": "2.99"}
        subprocess.run(
            [cloche, "--workspace", temporary / "workspace", "env", "install", temporary / "environment.yml", prefix, "--no-bytecode"],
            env=environment, check=True, stdout=subprocess.DEVNULL, timeout=600,
        )
        python = prefix / "bin/python"
        if subprocess.run([python, "-c", "import ctypes"], env={}, capture_output=True, check=False).returncode != 0:
            print("the channel's Python does not run on this machine: its C library is newer")
            return 77
        packages = dict(modules_of(prefix))
        modules = [name for all in packages.values() for name in all]
        done = subprocess.run(
            [python, "-c", IMPORTER], input="\n".join(modules), env={"HOME": str(temporary), "MPLCONFIGDIR": str(temporary)},
            capture_output=True, text=True, check=False, timeout=1200, cwd=temporary,
        )
        print(done.stdout, end="")
        failed = int(done.stdout.split()[-1]) if done.returncode == 0 else 1
        print(f"{len(packages)} packages with Python modules, {len(modules)} modules imported, {failed} failed")
        if done.returncode != 0:
            print(done.stderr, file=sys.stderr)
        return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
