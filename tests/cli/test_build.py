"""From a lock to an image that other tools read."""
import hashlib
import json
import os
import shutil
import socket
import subprocess
import time

import channel as channels
import pytest


@pytest.fixture
def channel(cloche):
    made = channels.Channel(cloche.folder / "channel")
    made.add("one", "1.0", [], {"bin/one": "#!/bin/sh\necho one\n", "share/one": "x" * 5000})
    made.add("two", "1.0", ["one"], {"share/two": "two\n"})
    made.add("three", "1.0", ["two"], {"share/three": "three\n"})
    return made


def write(cloche, channel, *dependencies, name="environment.yml", image="scratch", more=""):
    specs = "".join(f"    - {one}\n" for one in dependencies)
    text = f"name: train\nimage: {image}\nconda_file:\n  channels: [{channel.url}]\n  dependencies:\n{specs}{more}"
    return cloche.write(name, text)


def manifest_of(cloche, digest, workspace="home/.local/share/cloche"):
    return json.loads((cloche.folder / workspace / "blobs/sha256" / digest.removeprefix("sha256:")).read_text())


def workspace_of(cloche):
    return cloche.json("workspace", "show")["directory"]


def test_the_same_again_is_a_look_up(cloche, channel):
    write(cloche, channel, "three")
    cloche.run("env", "create", "-f", "environment.yml")
    first = cloche.json("env", "build", "train")
    assert (first["found"], first["packages"], first["packages_made"]) == (False, 3, 3)
    again = cloche.json("env", "build", "train")
    assert again["found"] and again["digest"] == first["digest"]
    # Another order is another definition with another fingerprint, but the same packages.
    write(cloche, channel, "two", "three", name="other.yml")
    write(cloche, channel, "three", "two", name="third.yml")
    other, third = cloche.json("env", "build", "other.yml"), cloche.json("env", "build", "third.yml")
    assert other["digest"] == third["digest"] and third["found"]
    assert other["image"] != third["image"]


def test_one_package_changed_is_one_package_packed(cloche, channel):
    write(cloche, channel, "three")
    before = cloche.json("env", "build", "environment.yml")
    channel.add("two", "2.0", ["one"], {"share/two": "two 2\n"})
    write(cloche, channel, "three", "two=2.0")
    dry = cloche.run("env", "build", "environment.yml", "--dry-run", "--refresh").out
    assert "contents" in dry and before["digest"] in dry
    after = cloche.json("env", "build", "environment.yml")
    assert after["packages_made"] == 1
    directory = workspace_of(cloche)
    layers = [{one["digest"] for one in manifest_of(cloche, one["digest"], directory)["layers"]} for one in (before, after)]
    assert (len(layers[0]), len(layers[0] & layers[1])) == (4, 2)  # the package's and the history's are new


CONDITIONS = [
    {"TZ": "Asia/Tokyo", "LC_ALL": "C"},
    {"umask": 0o077},
    {"threads": True},
]


@pytest.mark.parametrize("condition", CONDITIONS, ids=["zone-and-locale", "umask", "one-processor"])
def test_the_same_lock_gives_the_same_digest(cloche, channel, condition):
    write(cloche, channel, "three")
    first = cloche.json("env", "build", "environment.yml")
    elsewhere = cloche.folder / "else where"
    elsewhere.mkdir()
    shutil.copy(cloche.folder / "environment.yml", elsewhere)
    time.sleep(1.1)
    options = {"preexec_fn": lambda: os.umask(0o077)} if "umask" in condition else {}
    if "threads" in condition:
        options = {"preexec_fn": lambda: os.sched_setaffinity(0, [0])}
    env = {"HOME": str(elsewhere), **{key: value for key, value in condition.items() if key.isupper()}}
    second = cloche.json("env", "build", "environment.yml", cwd=elsewhere, env=env, **options)
    assert not second["found"]
    assert second["digest"] == first["digest"]


def test_verify_builds_from_nothing(cloche, channel):
    write(cloche, channel, "three")
    assert "the same" in cloche.run("env", "build", "environment.yml", "--verify").out


def test_variables_are_in_the_image_and_a_changed_one_changes_it(cloche, channel):
    more = "environment_variables:\n  MODE: train\n"
    write(cloche, channel, "one", more=more)
    first = cloche.json("env", "build", "environment.yml")
    manifest = manifest_of(cloche, first["digest"], workspace_of(cloche))
    config = manifest_of(cloche, manifest["config"]["digest"], workspace_of(cloche))
    assert "MODE=train" in config["config"]["Env"]
    assert config["created"] == "1970-01-01T00:00:00Z"
    write(cloche, channel, "one", more=more.replace("train", "test"))
    assert cloche.json("env", "build", "environment.yml")["digest"] != first["digest"]


@pytest.mark.parametrize("compression", ["zstd", "gzip"])
def test_others_read_the_image(cloche, channel, compression):
    if not shutil.which("skopeo"):
        pytest.skip("skopeo is not installed")
    write(cloche, channel, "three")
    answer = cloche.json("env", "build", "environment.yml", "--compression", compression)
    source = f"oci:{workspace_of(cloche)}:{answer['image']}"
    out = cloche.folder / "copied"
    subprocess.run(["skopeo", "copy", source, f"oci:{out}:train"], check=True, capture_output=True)
    copied = json.loads((out / "index.json").read_text())["manifests"][0]["digest"]
    assert copied == answer["digest"]
    if compression == "gzip" and shutil.which("umoci"):
        bundle = cloche.folder / "bundle"
        subprocess.run(["umoci", "unpack", "--rootless", "--image", f"{out}:train", bundle], check=True, capture_output=True)
        prefix = bundle / "rootfs/opt/cloche/env"
        assert (prefix / "share/three").read_text() == "three\n"
        assert len(list((prefix / "conda-meta").glob("*.json"))) == 3


def test_clobbering_is_reported_and_decided(cloche, channel):
    channel.add("four", "1.0", ["one"], {"share/one": "of four\n"})
    write(cloche, channel, "four")
    answer = cloche.json("env", "build", "environment.yml", "--compression", "gzip")
    assert answer["clobbered"] == [{"path": "share/one", "winner": "four", "losers": ["one"]}]


def test_what_is_not_built_yet_is_said(cloche, channel):
    write(cloche, channel, "one", "pip:\n      - requests")
    cloche.error("env", "build", "environment.yml", code=4)  # no pip in the channel
    channel.add("pip", "1.0").add("python", "3.12.0", subdir="linux-64")
    assert "pip" in cloche.error("env", "build", "environment.yml", "--refresh", code=10)["message"]
    write(cloche, channel, "one", image="nowhere/none:1")
    assert "nowhere/none:1" in cloche.error("env", "build", "environment.yml", "--offline", code=4)["message"]


def test_two_builders_make_it_once(cloche, channel):
    write(cloche, channel, "three")
    cloche.run("env", "lock", "environment.yml")
    command = [cloche.program, "env", "build", "environment.yml", "--output", "json"]
    running = [
        subprocess.Popen(command, cwd=cloche.folder, env=cloche.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    answers = [json.loads(one.communicate()[0]) for one in running]
    assert len({one["digest"] for one in answers}) == 1
    assert sum(one["packages_made"] for one in answers) == 3


def test_killed_builders_leave_nothing_that_a_later_one_believes(cloche, channel):
    for number in range(20):
        channel.add(f"more{number}", "1.0", [], {f"share/more{number}/{part}": f"{number} {part}\n" * 900 for part in range(20)})
    write(cloche, channel, "three", *(f"more{number}" for number in range(20)))
    cloche.run("env", "lock", "environment.yml")
    clean = cloche.json("env", "build", "environment.yml", env={"CLOCHE_CACHE": str(cloche.folder / "apart")})
    shutil.rmtree(workspace_of(cloche))
    cache = str(cloche.folder / "cache")
    environment = {**cloche.environment, "CLOCHE_CACHE": cache}
    command = [cloche.program, "env", "build", "environment.yml"]
    for delay in range(1, 13):  # where they die differs; what must come of it does not
        one = subprocess.Popen(command, cwd=cloche.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay * 0.02)
        one.kill()
        one.wait()
    again = cloche.json("env", "build", "environment.yml", env={"CLOCHE_CACHE": cache})
    assert again["digest"] == clean["digest"]
    store = cloche.folder / workspace_of(cloche) / "blobs/sha256"
    for blob in store.iterdir():
        assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name
    assert cloche.json("env", "build", "environment.yml", "--verify", env={"CLOCHE_CACHE": cache})["verified"]


def test_a_full_disk_is_said_and_room_mends_it(cloche, channel):
    place = cloche.folder / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        channel.add("large", "1.0", [], {"share/large": os.urandom(2_000_000)})
        write(cloche, channel, "three", "large")
        small = {"CLOCHE_CACHE": str(place / "cache")}
        error = cloche.error("env", "build", "environment.yml", code=7, env=small)
        assert "no space left on device" in error["message"]
        assert not list((place / "cache/segments/tmp").glob("*"))
        subprocess.run(["mount", "-o", "remount,size=64m", place], check=True)
        built = cloche.json("env", "build", "environment.yml", env=small)
        assert built["digest"] == cloche.json("env", "build", "environment.yml", "--verify")["digest"]
    finally:
        subprocess.run(["umount", place], check=True)


@pytest.fixture
def registry(tmp_path):
    """Debian's docker-registry on loopback: its address."""
    program = shutil.which("docker-registry")
    if not program:
        pytest.skip("docker-registry is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = tmp_path / "registry.yml"
    config.write_text(
        f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {tmp_path}/registry\nhttp:\n  addr: 127.0.0.1:{port}\n"
    )
    process = subprocess.Popen([program, "serve", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 0.1).close()
            break
        except OSError:
            time.sleep(0.05)
    yield f"127.0.0.1:{port}"
    process.kill()
    process.wait()


def test_a_base_from_a_registry_and_back(cloche, channel, registry):
    write(cloche, channel, "one")
    first = cloche.json("env", "build", "environment.yml", "--push", f"{registry}/team/base:1")
    assert first["pushed"]["digest"] == first["digest"]
    # The pushed image as another environment's base, in another workspace.
    write(cloche, channel, "three", image=f"{registry}/team/base:1")
    other = {"HOME": str(cloche.folder / "else")}
    built = cloche.json("env", "build", "environment.yml", "--push", f"{registry}/team/train:1", env=other)
    assert built["pushed"]["mounted"] + built["pushed"]["present"] >= 1
    again = cloche.json("env", "build", "environment.yml", "--push", f"{registry}/team/train:1", env=other)
    assert again["found"] and again["pushed"]["uploaded"] == 0
    lock = cloche.json("env", "lock", "environment.yml", env=other)["lock"]
    assert lock["base_image"]["digest"] == first["digest"]


def test_a_base_keeps_its_digest_when_the_tag_moves(cloche, channel, registry):
    write(cloche, channel, "one", name="base.yml")
    cloche.run("env", "build", "base.yml", "--push", f"{registry}/base:1")
    write(cloche, channel, "three", image=f"{registry}/base:1")
    first = cloche.json("env", "build", "environment.yml")
    write(cloche, channel, "two", name="base.yml")
    moved = {"HOME": str(cloche.folder / "else")}
    cloche.run("env", "build", "base.yml", "--push", f"{registry}/base:1", env=moved)
    assert cloche.json("env", "build", "environment.yml")["digest"] == first["digest"]


def test_images_travel(cloche, channel, registry):
    write(cloche, channel, "one")
    built = cloche.json("env", "build", "environment.yml")
    cloche.run("image", "push", built["image"], f"{registry}/team/one:1")
    other = {"HOME": str(cloche.folder / "else")}
    assert cloche.json("image", "pull", f"{registry}/team/one:1", env=other)["digest"] == built["digest"]
    cloche.run("image", "export", built["image"], "one.tar")
    third = {"HOME": str(cloche.folder / "third")}
    imported = cloche.json("image", "import", "one.tar", "one:1", env=third)
    assert imported["images"] == [{"name": "one:1", "digest": built["digest"]}]
    cloche.run("image", "export", built["image"], "docker.tar", "--format", "docker")
    assert cloche.json("image", "import", "docker.tar", env=third)["images"]


def test_a_root_file_system_becomes_a_base(cloche, channel):
    root = cloche.folder / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/os-release").write_text("ID=tiny\n")
    (root / "bin").mkdir()
    shutil.copy("/bin/true", root / "bin/true")
    subprocess.run(["tar", "-C", root, "-cf", cloche.folder / "root.tar", "."], check=True)
    cloche.run("image", "import", "root.tar", "tiny:1")
    write(cloche, channel, "one", image="tiny:1")
    answer = cloche.json("env", "build", "environment.yml")
    manifest = manifest_of(cloche, answer["digest"], workspace_of(cloche))
    assert len(manifest["layers"]) == 3  # and the history
