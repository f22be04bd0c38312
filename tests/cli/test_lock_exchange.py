"""Locks out of and into other tools' formats, with a channel of a few packages on the disk."""
import hashlib
import json

import pytest

FORMATS = ["cloche", "explicit", "conda-lock", "pixi"]


def record(name, version, depends=(), build="h0_0", subdir="linux-64", **more):
    file_name = f"{name}-{version}-{build}.conda"
    digest = hashlib.sha256(file_name.encode()).hexdigest()
    return file_name, {
        "name": name, "version": version, "build": build, "build_number": int(build.rsplit("_", 1)[1]),
        "subdir": subdir, "depends": list(depends), "sha256": digest, "md5": digest[:32],
        "size": 1000, "timestamp": 1700000000000, "license": "MIT", **more,
    }


def make_channel(cloche, *records):
    for subdir in ("linux-64", "noarch"):
        packages = dict(one for one in records if one[1]["subdir"] == subdir)
        cloche.write(f"channel/{subdir}/repodata.json", json.dumps(
            {"info": {"subdir": subdir}, "packages": {}, "packages.conda": packages,
             "removed": [], "repodata_version": 1}))
    return f"file://{cloche.folder}/channel"


PYTHON = record("python", "3.11.10", ["openssl >=3"], "h1_3")
OPENSSL = record("openssl", "3.4.0", ["__glibc >=2.17"])
PIP = record("pip", "24.2", ["python >=3.8"], "pyh8b19718_1", "noarch", noarch="python")
NUMPY = record("numpy", "1.26.4", ["python >=3.11,<3.12"], "py311_0", constrains=["pip >=20"])
NEWER = record("numpy", "2.1.0", ["python >=3.11,<3.12"], "py311_0")


@pytest.fixture
def environment(cloche):
    channel = make_channel(cloche, PYTHON, OPENSSL, PIP, NUMPY)
    return cloche.write(
        "environment.yml",
        f"channels: [{channel}]\ndependencies:\n  - numpy\n  - pip\n  - pip:\n      - torch==2.3.1\n")


def lock(cloche, subject, *words):
    return cloche.json("env", "lock", subject, *words)


def test_a_lock_says_what_there_is_and_why(cloche, environment):
    answer = lock(cloche, environment)
    assert answer["state"] == "locked"
    packages = {one["name"]: one for one in answer["lock"]["packages"]}
    assert set(packages) == {"numpy", "openssl", "pip", "python"}
    assert packages["numpy"]["requested"] == ["numpy"]
    assert packages["python"]["needed_by"] == ["numpy", "pip"]
    assert answer["lock"]["unlocked"] == {"pip": ["torch==2.3.1"], "apt": []}
    assert lock(cloche, environment)["state"] == "kept"


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_exported_comes_back_as_the_same_lock(cloche, environment, form):
    made = lock(cloche, environment)["lock"]
    cloche.run("env", "lock", environment, "--format", form, "-o", "out")
    again = lock(cloche, environment, "--workspace", "another", "--import", "out")["lock"]
    assert again["digest"] == made["digest"]


@pytest.mark.parametrize("form", FORMATS + ["cyclonedx", "spdx"])
def test_exports_are_the_same_bytes_in_any_workspace(cloche, environment, form):
    first = cloche.run("env", "lock", environment, "--format", form).out
    second = cloche.run("env", "lock", environment, "--format", form, "--workspace", "another").out
    assert first == second


def test_a_lock_that_does_not_fit_is_refused_with_the_line(cloche, environment):
    cloche.run("env", "lock", environment, "--format", "pixi", "-o", "pixi.lock")
    text = environment.read_text()
    changed = cloche.write("changed.yml", text.replace("  - numpy\n", "  - numpy>=2\n"))
    error = cloche.error("env", "lock", changed, "--import", "pixi.lock", code=5)
    assert "numpy>=2 is not met: numpy 1.26.4" in error["message"]
    assert error["line"] == 3


def test_old_versions_stay_until_somebody_asks(cloche, environment):
    lock(cloche, environment)
    make_channel(cloche, PYTHON, OPENSSL, PIP, NUMPY, NEWER)
    assert lock(cloche, environment)["state"] == "kept"
    answer = lock(cloche, environment, "--upgrade", "numpy", "--refresh")
    assert answer["state"] == "upgraded"
    [change] = answer["changes"]["changes"]
    assert (change["kind"], change["name"], change["requested"]) == ("upgraded", "numpy", True)
    assert (change["before"]["version"], change["after"]["version"]) == ("1.26.4", "2.1.0")
    assert cloche.json("env", "lock", environment, "--check")["findings"] == []


def test_the_lock_goes_along_when_a_version_is_saved(cloche, environment):
    cloche.run("env", "create", "-f", environment, "--name", "train")
    made = lock(cloche, "train")
    actions = [one["action"] for one in cloche.json("env", "history", "train")["events"]]
    assert actions == ["created", "locked"]
    cloche.run("env", "save", "train", "train.cloche")
    cloche.run("env", "load", "train.cloche", "--workspace", "another")
    make_channel(cloche, PYTHON, OPENSSL, PIP, NUMPY, NEWER)
    again = lock(cloche, "train", "--workspace", "another")
    assert again["state"] == "kept"
    assert again["lock"]["digest"] == made["lock"]["digest"]


def test_a_foreign_file_is_known_by_its_content(cloche, environment):
    cloche.write("x.lock", "numpy=1.26\n")
    assert "no lock that is known here" in cloche.error(
        "env", "lock", environment, "--import", "x.lock", code=3)["message"]
    cloche.run("env", "lock", environment, "--format", "spdx", "-o", "x.lock")
    assert cloche.error("env", "lock", environment, "--import", "x.lock", code=10)["kind"] == "unsupported"
