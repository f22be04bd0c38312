"""From a definition to a lock, and from a lock to files."""
import json
import os
import signal
import subprocess
import time

import channel as channels
import pytest


@pytest.fixture
def channel(cloche):
    """python 3.11 and 3.12, numpy 1 and 2 (2 for 3.12 only), pandas that needs numpy."""
    made = channels.Channel(cloche.folder / "channel")
    for version in ["3.11.9", "3.12.4"]:
        made.add("python", version, ["pip"], subdir="linux-64")
    made.add("pip", "24.0", ["python"])
    made.add("numpy", "1.26.4", ["python >=3.11,<3.12.0a0"], subdir="linux-64")
    made.add("numpy", "2.1.0", ["python >=3.12,<3.13.0a0"], subdir="linux-64")
    made.add("pandas", "2.2.0", ["numpy >=1.26"])
    return made


def write(cloche, channel, *dependencies, name="environment.yml", url=None, more=""):
    lines = "".join(f"  - {one}\n" for one in dependencies)
    return cloche.write(name, f"name: train\nchannels:\n  - {url or channel.url}\ndependencies:\n{lines}{more}")


def versions(answer):
    return {one["name"]: one["version"] for one in answer["lock"]["packages"]}


def test_a_definition_keeps_its_lock(cloche, channel):
    write(cloche, channel, "numpy", "pandas")
    cloche.run("env", "create", "-f", "environment.yml")
    first = cloche.json("env", "lock", "train")
    assert first["state"] == "locked"
    assert versions(first) == {"numpy": "2.1.0", "pandas": "2.2.0", "pip": "24.0", "python": "3.12.4"}
    channel.add("pandas", "3.0.0", ["numpy >=2"])
    assert versions(cloche.json("env", "lock", "train")) == versions(first)
    again = cloche.json("env", "lock", "environment.yml")
    assert again["state"] == "kept"
    assert again["lock"]["digest"] == first["lock"]["digest"]


def test_upgrade_moves_what_was_asked_and_says_so(cloche, channel):
    write(cloche, channel, "pandas", "python=3.12")
    cloche.run("env", "lock", "environment.yml")
    channel.add("pandas", "3.0.0", ["numpy >=2"]).add("pip", "25.0", ["python"])
    upgraded = cloche.json("env", "lock", "environment.yml", "--upgrade", "pandas", "--refresh")
    assert upgraded["state"] == "upgraded"
    assert [(one["name"], one["kind"]) for one in upgraded["changes"]["changes"]] == [("pandas", "upgraded")]
    out = cloche.run("env", "lock", "environment.yml", "--update-all").out
    assert "pip" in out and "25.0" in out
    assert cloche.json("env", "lock", "environment.yml", "--update-all")["state"] == "unchanged"
    assert "nump" in cloche.error("env", "lock", "environment.yml", "--upgrade", "nump", code=4)["message"]


def test_a_conflict_names_lines_and_ways_out(cloche, channel):
    write(cloche, channel, "python=3.11", "numpy>=2")
    error = cloche.error("env", "lock", "environment.yml", code=5)
    assert error["message"] == "python=3.11 and numpy>=2 cannot be had together"
    assert error["line"] == 5
    assert any("environment.yml:6:5: numpy>=2" in line for line in error["details"])
    assert "python 3.12.4 instead of python=3.11" in error["hint"]
    assert "numpy 1.26.4 instead of numpy>=2" in error["hint"]


def test_a_name_that_is_none_gets_the_nearest(cloche, channel):
    write(cloche, channel, "pandsa")
    error = cloche.error("env", "lock", "environment.yml", code=4)
    assert error["line"] == 5 and "pandas" in error["hint"]


def test_a_target_of_its_own(cloche, channel):
    channel.add("torch", "2.0", [], build="cpu", subdir="linux-64")
    channel.add("torch", "2.0", ["__cuda >=12"], build="cuda", number=1, subdir="linux-64")
    write(cloche, channel, "torch")

    def build(*words):
        return cloche.json("env", "lock", "environment.yml", *words)["lock"]["packages"][0]["build"]

    assert build() == "cpu"
    assert build("--virtual-package", "__cuda=12.4") == "cuda"
    assert build() == "cpu"
    cloche.run("env", "lock", "environment.yml", "--virtual-package", "__kuda=1", code=2)


def test_check_says_what_no_longer_holds(cloche, channel):
    write(cloche, channel, "numpy")
    assert cloche.run("env", "lock", "environment.yml", "--check", code=4)
    cloche.run("env", "lock", "environment.yml")
    assert "satisfies" in cloche.run("env", "lock", "environment.yml", "--check").out


@pytest.mark.parametrize("form", ["cloche", "conda-lock", "pixi", "explicit"])
def test_locks_travel(cloche, channel, form):
    write(cloche, channel, "pandas", "python=3.11")
    before = cloche.json("env", "lock", "environment.yml")
    cloche.run("env", "lock", "environment.yml", "--format", form, "-o", "exchanged.lock")
    channel.add("pandas", "3.0.0", ["numpy >=1.26"])
    other = {"CLOCHE_WORKSPACE": str(cloche.folder / "other")}
    after = cloche.json("env", "lock", "environment.yml", "--import", "exchanged.lock", env=other)
    assert versions(after) == versions(before)
    error = cloche.write("wrong.yml", (cloche.folder / "environment.yml").read_text().replace("3.11", "3.12"))
    assert cloche.error("env", "lock", error, "--import", "exchanged.lock", code=5, env=other)["line"]


@pytest.mark.parametrize("form", ["cyclonedx", "spdx"])
def test_bills_of_materials(cloche, channel, form):
    write(cloche, channel, "pandas")
    cloche.run("env", "lock", "environment.yml")
    out = cloche.run("env", "lock", "environment.yml", "--format", form).out
    assert out == cloche.run("env", "lock", "environment.yml", "--format", form).out
    assert "pkg:conda/pandas@2.2.0" in out
    json.loads(out)


def test_an_environment_is_installed_and_verified(cloche, channel):
    channel.add("tool", "1.0", ["pandas"], {"bin/tool": "#!/bin/sh\necho tool\n", "share/tool/data": "data\n"})
    write(cloche, channel, "tool")
    answer = cloche.json("env", "install", "environment.yml", "prefix")
    prefix = cloche.folder / "prefix"
    assert answer["packages"] == 5
    assert (prefix / "share/tool/data").read_text() == "data\n"
    record = json.loads((prefix / "conda-meta/tool-1.0-0.json").read_text())
    assert record["requested_spec"] == "tool" and "share/tool/data" in record["files"]
    assert cloche.error("env", "install", "environment.yml", "prefix", code=5)["hint"]
    cloche.run("env", "install", "environment.yml", "prefix", "--replace")


def test_a_package_that_is_another_one_is_refused(cloche, channel):
    write(cloche, channel, "numpy")
    cloche.run("env", "lock", "environment.yml")
    (channel.folder / "linux-64/numpy-2.1.0-0.tar.bz2").write_bytes(b"something else")
    error = cloche.error("env", "install", "environment.yml", "prefix", code=9)
    assert "numpy" in error["message"]
    assert not (cloche.folder / "prefix").exists()
    assert not [name for name in os.listdir(cloche.folder) if name.startswith("cloche-")]


@pytest.fixture
def server(channel):
    made = channels.Server(channel.folder)
    yield made
    made.stop()


def test_over_http_everything_is_asked_for_once(cloche, channel, server):
    write(cloche, channel, "pandas", url=server.url)
    cloche.run("env", "install", "environment.yml", "one")
    asked = list(server.requests)
    assert sum(path.endswith("pandas-2.2.0-0.tar.bz2") for path in asked) == 1
    server.requests.clear()
    cloche.run("env", "install", "environment.yml", "two")
    assert server.requests == []


def test_a_channel_that_is_down(cloche, channel, server):
    cloche.write("home/.condarc", "remote_max_retries: 0\n")
    write(cloche, channel, "pandas", url=server.url)
    server.status = 503
    error = cloche.error("env", "lock", "environment.yml", code=7)
    assert "127.0.0.1" in error["message"] + " ".join(error["context"])
    server.status = 0
    cloche.run("env", "lock", "environment.yml")
    server.status = 503
    assert "offline" in cloche.error("env", "lock", "environment.yml", "--update-all", "--refresh", code=7)["hint"]
    answer = cloche.json("env", "lock", "environment.yml", "--update-all", "--offline")
    assert versions(answer)["pandas"] == "2.2.0"


def test_repodata_that_is_damaged(cloche, channel):
    path = channel.folder / "noarch/repodata.json"
    path.write_text(path.read_text()[:-40])
    write(cloche, channel, "pandas")
    error = cloche.error("env", "lock", "environment.yml", code=9)
    assert "noarch" in " ".join(error["context"]) + error["message"]


def test_two_at_once_agree(cloche, channel, server):
    write(cloche, channel, "pandas", url=server.url)
    command = [cloche.program, "env", "lock", "environment.yml", "--output", "json"]
    running = [
        subprocess.Popen(command, cwd=cloche.folder, env=cloche.environment, stdout=subprocess.PIPE) for _ in range(6)
    ]
    digests = {json.loads(one.communicate()[0])["lock"]["digest"] for one in running}
    assert len(digests) == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_install_that_is_killed_leaves_no_prefix(cloche, channel, number):
    channel.add("many", "1.0", [], {f"share/many/{i}": f"{i}\n" * 50 for i in range(3000)})
    write(cloche, channel, "many")
    cloche.run("env", "lock", "environment.yml")
    command = [cloche.program, "env", "install", "environment.yml", "prefix"]
    for delay in [0.005, 0.02, 0.05, 0.1]:
        process = subprocess.Popen(command, cwd=cloche.folder, env=cloche.environment, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.send_signal(number)
        process.wait()
        if process.returncode == 0:
            break
        assert not (cloche.folder / "prefix").exists()
    cloche.run("env", "install", "environment.yml", "prefix", "--replace")
    assert len(list((cloche.folder / "prefix/share/many").iterdir())) == 3000


def test_credentials_are_never_told(cloche, channel, server):
    url = server.url.replace("http://", "http://me:hunter2@")
    write(cloche, channel, "pandas", url=url)
    answers = [
        cloche.run("env", "lock", "environment.yml"),
        cloche.run("env", "lock", "environment.yml", "--format", "cloche"),
        cloche.run("env", "install", "environment.yml", "prefix"),
    ]
    server.status = 401
    answers.append(cloche.run("env", "lock", "environment.yml", "--update-all", "--refresh", code=None))
    for answer in answers:
        assert "hunter2" not in answer.out + answer.err
    for path in [*cloche.folder.glob("prefix/conda-meta/*"), *cloche.folder.rglob("cache/**/*")]:
        assert not path.is_file() or b"hunter2" not in path.read_bytes()
