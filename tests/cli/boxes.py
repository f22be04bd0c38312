"""Jobs of a busybox image, for the tests of jobs: the image, the workspace, what may be left behind."""
import gzip
import hashlib
import io
import json
import os
import pathlib
import tarfile
import time

import pytest

BUSYBOX = pathlib.Path("/bin/busybox")
APPLETS = "sh ls cat echo env sleep mkdir head printf grep id hostname kill touch dd ps true false wc seq test rm nc tr fold".split()


def put(folder, data):
    digest = hashlib.sha256(data).hexdigest()
    (folder / "blobs/sha256").mkdir(parents=True, exist_ok=True)
    (folder / "blobs/sha256" / digest).write_bytes(data)
    return {"digest": f"sha256:{digest}", "size": len(data)}


def add_busybox_image(folder, name):
    """An image with a static busybox and nothing else, written by hand into the layout."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for directory in ["bin", "tmp", "mnt"]:
            member = tarfile.TarInfo(directory)
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(member)
        member = tarfile.TarInfo("bin/busybox")
        data = BUSYBOX.read_bytes()
        member.size, member.mode = len(data), 0o755
        tar.addfile(member, io.BytesIO(data))
        for applet in APPLETS:
            member = tarfile.TarInfo(f"bin/{applet}")
            member.type, member.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(member)
    layer = out.getvalue()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **put(folder, json.dumps(config).encode())},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", **put(folder, gzip.compress(layer, 1, mtime=0))}],
    }
    entry = {"mediaType": manifest["mediaType"], **put(folder, json.dumps(manifest).encode())}
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    index = {"schemaVersion": 2, "manifests": [{**entry, "annotations": {"org.opencontainers.image.ref.name": name}}]}
    (folder / "index.json").write_text(json.dumps(index))


class Jobs:
    def __init__(self, cloche):
        self.cloche = cloche
        self.workspace = pathlib.Path(cloche.json("workspace", "init")["directory"])
        add_busybox_image(self.workspace, "box:1")

    def command(self, *words, code=0, options=()):
        """Submits a command and waits for its end."""
        self.cloche.folder.joinpath("code").mkdir(exist_ok=True)
        answer = self.cloche.run("job", "create", "--image", "box:1", "--code", "code", "--stream", *options, "--", *words, code=code)
        return answer

    def shell(self, script, **more):
        return self.command("sh", "-c", script, **more)

    def last(self):
        name = self.cloche.json("job", "list")["jobs"][0]["name"]
        return self.cloche.json("job", "show", name)

    def log(self, name, file="std_log.txt"):
        return (self.workspace / "jobs" / name / "user_logs" / file).read_text()

    def wait(self, name, *statuses, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            status = self.cloche.json("job", "show", name)["status"]
            if status in statuses:
                return
            time.sleep(0.05)
        raise AssertionError(f"{name} is {status}, not {statuses}")


def containers_left(cloche):
    return sorted(path.name for path in (cloche.home / ".cache/cloche/containers").glob("job-*"))


def processes_of(cloche):
    """Processes that have the test's folder in their command line."""
    out = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if str(cloche.folder).encode() in words:
            out.append((path.parent.name, words))
    return out


def supervisors_of(cloche, name):
    # Keepers of containers, which are forked from supervisors, are in namespaces of their own.
    return [int(pid) for pid, words in processes_of(cloche)
            if f"--job={name}".encode() in words and os.readlink(f"/proc/{pid}/ns/pid") == os.readlink("/proc/self/ns/pid")]


def mounts_of(cloche):
    return [line for line in pathlib.Path("/proc/self/mounts").read_text().splitlines() if str(cloche.folder) in line]


@pytest.fixture
def jobs(cloche):
    if os.geteuid() != 0:
        pytest.skip("containers need root here")
    if not BUSYBOX.exists():
        pytest.skip("no static busybox")
    made = Jobs(cloche)
    probe = made.command("true", code=None)
    if probe.code != 0 and made.last()["failed_in"] == "Preparing":
        raise AssertionError(probe.err)
    if probe.code != 0:
        pytest.skip(f"containers do not run here: {made.last()['reason']}")
    return made
