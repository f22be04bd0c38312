"""Locking and installing while channels, proxies, disks and other processes misbehave."""
import gzip
import http.server
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time

import channel as channels
import pytest


@pytest.fixture
def channel(cloche):
    made = channels.Channel(cloche.folder / "channel")
    for number in range(60):
        made.add(f"base{number}", "1.0", [], {f"share/base{number}": f"{number}\n" * 200}, subdir="linux-64")
    made.add("tool", "1.0", [f"base{number}" for number in range(60)])
    cloche.write("home/.condarc", "remote_max_retries: 0\n")
    return made


class Proxy:
    """Serves a folder, and changes what it answers: `change(path, body)` gives (body, length told) or None for no answer."""

    def __init__(self, folder):
        self.change = lambda path, body: (body, len(body))
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests.append(self.path)
                path = folder / self.path.lstrip("/")
                if not path.is_file():
                    self.send_error(404)
                    return
                answer = outer.change(self.path, path.read_bytes())
                if answer is None:
                    self.connection.close()
                    return
                body, length = answer
                self.send_response(200)
                if length is not None:
                    self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def proxy(channel):
    made = Proxy(channel.folder)
    yield made
    made.server.shutdown()
    made.server.server_close()


def write(cloche, url, *dependencies):
    lines = "".join(f"  - {one}\n" for one in dependencies)
    cloche.write("environment.yml", f"name: train\nchannels:\n  - {url}\ndependencies:\n{lines}")


def said(error):
    return error["message"] + " " + " ".join(error["context"])


def compressed(channel):
    """The channel's repodata as .zst as well."""
    for subdir in ["linux-64", "noarch"]:
        subprocess.run(["zstd", "-qf", channel.folder / subdir / "repodata.json"], check=True)


needs_zstd = pytest.mark.skipif(not shutil.which("zstd"), reason="zstd is not installed")

CUTS = {
    "told": lambda body: (body[: len(body) // 2], len(body)),
    "hidden": lambda body: (body[: len(body) // 2], len(body) // 2),
    "without a length": lambda body: (body[: len(body) // 2], None),
    "to nothing": lambda body: (b"", 0),
}


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("form", ["json", pytest.param("zst", marks=needs_zstd)])
def test_a_proxy_that_cuts_repodata(cloche, channel, proxy, cut, form):
    if form == "zst":
        compressed(channel)
    write(cloche, proxy.url, "tool")
    proxy.change = lambda path, body: CUTS[cut](body) if "linux-64/repodata" in path else (body, len(body))
    answer = cloche.run("env", "lock", "environment.yml", "--output", "json", code=None)
    if cut == "to nothing":  # CEP 36: an empty file is an empty channel
        assert answer.code == 5 and "an empty file" in answer.err
    else:
        assert answer.code in (7, 9), answer.err
        assert "127.0.0.1" in said(answer.error)
    proxy.change = lambda path, body: (body, len(body))
    assert len(cloche.json("env", "lock", "environment.yml")["lock"]["packages"]) == 61


def test_the_copy_before_a_damaged_one_is_offered(cloche, channel, proxy):
    write(cloche, proxy.url, "tool")
    cloche.run("env", "lock", "environment.yml")
    proxy.change = lambda path, body: CUTS["hidden"](body)
    error = cloche.error("env", "lock", "environment.yml", "--update-all", code=9)
    assert "earlier copy" in error["hint"] and "--offline" in error["hint"]
    answer = cloche.json("env", "lock", "environment.yml", "--update-all", "--offline")
    assert len(answer["lock"]["packages"]) == 61


@pytest.mark.parametrize("cut", ["told", "hidden", "without a length"])
def test_a_proxy_that_cuts_packages(cloche, channel, proxy, cut):
    write(cloche, proxy.url, "tool")
    cloche.run("env", "lock", "environment.yml")
    proxy.change = lambda path, body: CUTS[cut](body) if "base7-" in path else (body, len(body))
    answer = cloche.run("env", "install", "environment.yml", "prefix", "--output", "json", code=None)
    assert answer.code in (7, 9), answer.err
    assert "base7" in said(answer.error)
    assert not (cloche.folder / "prefix").exists()
    proxy.change = lambda path, body: (body, len(body))
    cloche.run("env", "install", "environment.yml", "prefix")


@needs_zstd
def test_zst_and_json_that_disagree(cloche, channel, proxy):
    """A server is asked for the .zst; in a folder the one that was written last counts."""
    compressed(channel)
    channel.add("tool", "2.0", [])
    write(cloche, proxy.url, "tool")
    [tool] = [one for one in cloche.json("env", "lock", "environment.yml")["lock"]["packages"] if one["name"] == "tool"]
    assert tool["version"] == "1.0"
    past = time.time() - 1000
    for subdir in ["linux-64", "noarch"]:
        os.utime(channel.folder / subdir / "repodata.json.zst", (past, past))
    write(cloche, channel.url, "tool")
    [tool] = cloche.json("env", "lock", "environment.yml")["lock"]["packages"]
    assert tool["version"] == "2.0"


def test_repodata_that_promises_another_file(cloche, channel, proxy):
    """The index was updated, the file not yet (or the other way round)."""
    write(cloche, proxy.url, "tool")
    cloche.run("env", "lock", "environment.yml")
    channel.add("base7", "1.0", [], {"share/base7": "new\n"}, subdir="linux-64")
    error = cloche.error("env", "install", "environment.yml", "prefix", code=9)
    assert "base7" in said(error)
    assert not (cloche.folder / "prefix").exists()


def test_a_channel_that_goes_down_midway(cloche, channel, proxy):
    write(cloche, proxy.url, "tool")
    proxy.change = lambda path, body: None if "noarch" in path else (body, len(body))
    assert "127.0.0.1" in said(cloche.error("env", "lock", "environment.yml", code=7))
    proxy.change = lambda path, body: (body, len(body))
    cloche.run("env", "lock", "environment.yml")
    proxy.change = lambda path, body: None if len(proxy.requests) > 20 else (body, len(body))
    proxy.requests.clear()
    cloche.error("env", "install", "environment.yml", "prefix", code=7)
    assert not (cloche.folder / "prefix").exists()
    proxy.change = lambda path, body: (body, len(body))
    proxy.requests.clear()
    cloche.run("env", "install", "environment.yml", "prefix")
    assert 0 < sum("base" in path for path in proxy.requests) < 60  # what came before is kept


def test_an_encoding_that_nobody_asked_for(cloche, channel, proxy):
    write(cloche, proxy.url, "tool")
    proxy.change = lambda path, body: (gzip.compress(body), None) if "repodata.json" in path else (body, len(body))
    error = cloche.error("env", "lock", "environment.yml", code=9)
    assert "no repodata" in said(error)


def test_kill_while_locking(cloche, channel, proxy):
    """Whenever it is killed, the next one finds old or new."""
    write(cloche, proxy.url, "tool")
    chooser = random.Random(3)
    command = [cloche.program, "env", "lock", "environment.yml", "--update-all", "--refresh"]
    for _ in range(25):
        process = subprocess.Popen(
            command, cwd=cloche.folder, env=cloche.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chooser.uniform(0, 0.06))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(cloche.json("env", "lock", "environment.yml")["lock"]["packages"]) == 61


@pytest.fixture
def small_disk(cloche):
    place = cloche.folder / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "none", place], capture_output=True).returncode != 0:
        pytest.skip("no tmpfs can be mounted here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_while_installing(cloche, channel, small_disk):
    channel.add("big", "1.0", [], {f"share/{i}": "x" * 10000 for i in range(40)})
    write(cloche, channel.url, "big")
    error = cloche.error("env", "install", "environment.yml", small_disk / "prefix", code=7)
    assert "space" in said(error)
    assert list(small_disk.iterdir()) == []


def test_a_full_disk_while_locking(cloche, channel, small_disk):
    for number in range(2000):
        channel.records["linux-64"][f"pad{number}-1.0-0.conda"] = {"name": f"pad{number}", "version": "1.0", "build": "0"}
    channel.write()
    write(cloche, channel.url, "tool")
    error = cloche.error("env", "lock", "environment.yml", code=7, env={"CLOCHE_CACHE": str(small_disk / "cache")})
    assert "space" in said(error)
    assert [path for path in small_disk.rglob("*") if path.name.startswith(".cloche-")] == []
    cloche.run("env", "lock", "environment.yml")


def test_two_installs_of_one_prefix(cloche, channel):
    write(cloche, channel.url, "tool")
    cloche.run("env", "lock", "environment.yml")
    command = [cloche.program, "env", "install", "environment.yml", "prefix"]
    running = [
        subprocess.Popen(command, cwd=cloche.folder, env=cloche.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    codes = []
    for one in running:
        _, text = one.communicate()
        codes.append(one.returncode)
        assert one.returncode == 0 or b"prefix" in text
    assert codes.count(0) == 1, codes
    assert len(list((cloche.folder / "prefix/share").iterdir())) == 61
    assert [path for path in cloche.folder.iterdir() if "prefix" in path.name and path.name != "prefix"] == []


def test_a_full_disk_while_downloading(cloche, channel, proxy, small_disk):
    channel.add("big", "1.0", [], {f"share/{i}": os.urandom(10000) for i in range(40)})
    write(cloche, proxy.url, "big")
    small = {"CLOCHE_CACHE": str(small_disk / "cache")}
    cloche.run("env", "lock", "environment.yml", env=small)
    error = cloche.error("env", "install", "environment.yml", "prefix", code=7, env=small)
    assert "big" in said(error) and "space" in said(error)
    assert not (cloche.folder / "prefix").exists()


def test_without_a_network(cloche, channel, proxy):
    write(cloche, proxy.url, "base1")
    cloche.run("env", "install", "environment.yml", "prefix")
    cloche.write("home/.condarc", "remote_max_retries: 0\nremote_connect_timeout_secs: 1\n")
    proxy.server.shutdown()
    proxy.server.server_close()
    assert cloche.json("env", "lock", "environment.yml")["state"] == "kept"
    cloche.run("env", "install", "environment.yml", "another")
    write(cloche, proxy.url, "base2")
    assert "--offline" in cloche.error("env", "lock", "environment.yml", "--refresh", code=7)["hint"]
    cloche.run("env", "lock", "environment.yml", "--offline")
    assert "base2" in said(cloche.error("env", "install", "environment.yml", "third", code=7))
    for words in ([], ["--offline"]):
        empty = {"CLOCHE_CACHE": str(cloche.folder / "empty")}
        error = cloche.error("env", "lock", "environment.yml", "--update-all", *words, code=7, env=empty)
        assert proxy.url in said(error) and "network" in error["hint"]


def test_an_index_that_is_cut_is_made_again(cloche, channel):
    write(cloche, channel.url, "tool")
    first = cloche.json("env", "lock", "environment.yml")["lock"]["digest"]
    for left in [0, 20, 1000, None]:
        for path in (cloche.home / ".cache/cloche/index").iterdir():
            data = path.read_bytes()
            path.write_bytes(data[:left] if left is not None else bytes(len(data)))
        assert cloche.json("env", "lock", "environment.yml", "--update-all")["lock"]["digest"] == first
