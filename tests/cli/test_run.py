"""Commands in environments: `cloche run`, over a tiny image of a static busybox."""
import os
import pathlib
import shutil
import signal
import subprocess
import tarfile
import time

import channel as channels
import pytest

BUSYBOX = shutil.which("busybox")
APPLETS = "sh true false cat echo ls id env sleep stty tty touch kill mount grep ps dd head mkdir".split()


def can_run_containers():
    if not BUSYBOX or b"statically" not in subprocess.run(["file", "-L", BUSYBOX], capture_output=True).stdout + subprocess.run(
        ["sh", "-c", f"ldd {BUSYBOX} >/dev/null 2>&1 || echo statically"], capture_output=True
    ).stdout:
        return "busybox-static is not installed"
    if not (shutil.which("runc", path="/usr/sbin:/usr/bin:/sbin:/bin") or shutil.which("crun")):
        return "neither runc nor crun is installed"
    probe = subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True)
    return "" if probe.returncode == 0 else "namespaces are not allowed here"


REASON = can_run_containers()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)


def root_file_system(path):
    with tarfile.open(path, "w") as tar:
        for folder in ("bin", "etc", "tmp", "root", "home"):
            member = tarfile.TarInfo(folder)
            member.type = tarfile.DIRTYPE
            member.mode = 0o1777 if folder == "tmp" else 0o755
            tar.addfile(member)
        tar.add(BUSYBOX, "bin/busybox")
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type = tarfile.SYMTYPE
            link.linkname = "busybox"
            tar.addfile(link)
        import io

        for name, text in {
            "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nsomeone:x:1000:1000::/home:/bin/sh\n",
            "etc/group": "root:x:0:\npeople:x:1000:\n",
        }.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


@pytest.fixture
def tiny(cloche, tmp_path_factory):
    """The program with an environment `tiny`, its cache shared by all tests: one probe, one unpacking."""
    shared = tmp_path_factory.getbasetemp() / "run-cache"
    archive = tmp_path_factory.getbasetemp() / "tiny.tar"
    if not archive.exists():
        root_file_system(archive)
    cloche.environment["CLOCHE_CACHE"] = str(shared)
    cloche.environment["PATH"] += ":/usr/sbin:/sbin"
    cloche.cache = shared
    cloche.run("workspace", "init")
    cloche.run("image", "import", archive, "tiny:1")
    cloche.run("env", "create", "--image", "tiny:1", "--name", "tiny")
    return cloche


def cgroups():
    return [str(one) for one in pathlib.Path("/sys/fs/cgroup").glob("**/cloche-*")]


def nothing_left(cloche):
    """No folder of a container, no mount, no cgroup of any of its containers."""
    containers = cloche.cache / "containers"
    left = [one.name for one in containers.iterdir()] if containers.exists() else []
    mounts = [line for line in open("/proc/mounts") if str(cloche.cache) in line]
    return not left and not mounts


def refused(cloche, *words, code):
    """The error record; `--output` stands before `--`, behind which all is the command's."""
    answer = cloche.run("--output", "json", *words, code=code)
    assert answer.out == ""
    return answer.error


def test_the_exit_code_and_the_streams_are_the_commands(tiny):
    answer = tiny.run("run", "tiny", "--", "sh", "-c", "cat; echo oops >&2; exit 7", input="typed\n", code=7)
    assert answer.out == "typed\n"
    assert "oops\n" in answer.err
    assert nothing_left(tiny)


def test_the_current_directory_is_there_and_what_is_made_is_ours(tiny):
    tiny.write("data.txt", "hello")
    answer = tiny.run("run", "tiny", "--", "sh", "-c", "pwd; cat data.txt; echo made > out.txt")
    assert answer.out == f"{tiny.folder}\nhello"
    made = tiny.folder / "out.txt"
    assert made.read_text() == "made\n"
    assert made.stat().st_uid == os.getuid()


def test_changes_elsewhere_are_thrown_away(tiny):
    tiny.run("run", "tiny", "--", "touch", "/root/made")
    assert "made" not in tiny.run("run", "tiny", "--", "ls", "/root").out


def test_variables_and_mounts(tiny):
    data = tiny.folder.parent / "data"
    data.mkdir(exist_ok=True)
    (data / "one").write_text("1")
    answer = tiny.run(
        "run", "tiny", "--env", "A=b c", "--mount", f"{data}:/data:ro", "--", "sh", "-c", 'echo "$A"; cat /data/one; echo x > /data/two || echo refused'
    )
    assert answer.out.splitlines() == ["b c", "1refused"]
    assert not (data / "two").exists()


def test_a_file_becomes_a_process_in_one_command(tiny):
    tiny.write("env.yml", "name: mine\nimage: tiny:1\n")
    assert tiny.run("run", "./env.yml", "--", "echo", "from a file").out == "from a file\n"
    assert "mine" not in tiny.run("env", "list").out


def test_what_is_not_there_is_said(tiny):
    assert "no command 'nothing'" in refused(tiny, "run", "tiny", "--", "nothing", code=4)["message"]
    assert "tiny" in refused(tiny, "run", "tinyy", "--", "true", code=4)["hint"]
    assert "no command" in refused(tiny, "run", "tiny", code=2)["message"]
    assert refused(tiny, "run", "tiny", "--mount", "nowhere:/x", "--", "true", code=4)
    assert nothing_left(tiny)


@pytest.mark.parametrize("directory", ["/", "/etc", "/usr", "/proc/self"])
def test_directories_that_would_hide_the_image_are_refused(tiny, directory):
    assert "cannot be mounted" in refused(tiny, "-C", directory, "--workspace", tiny.folder, "run", "tiny", "--", "true", code=3)["message"]


@pytest.mark.parametrize("target", ["/proc/self/fd/7", "/sys/x", "/a/../../etc", "/"])
def test_targets_in_file_systems_of_the_kernel_are_refused(tiny, target):
    refused(tiny, "run", "tiny", "--mount", f"{tiny.folder}:{target}", "--", "true", code=3)


def test_no_network_is_a_loopback_interface(tiny):
    answer = tiny.run("run", "tiny", "--network", "none", "--", "cat", "/proc/net/dev")
    names = [line.split(":")[0].strip() for line in answer.out.splitlines()[2:]]
    assert names == ["lo"]


def test_root_may_ping_where_the_network_is_its_own(tiny):
    setting = "/proc/sys/net/ipv4/ping_group_range"
    if not pathlib.Path(setting).exists():
        pytest.skip("the kernel has no such right")
    before = pathlib.Path(setting).read_text()
    assert tiny.run("run", "tiny", "--network", "none", "--", "cat", setting).out.split() == ["0", "0"]
    assert tiny.run("run", "tiny", "--", "cat", setting).out == before


def test_the_defaults_are_safe(tiny):
    status = tiny.run("run", "tiny", "--", "cat", "/proc/self/status").out
    fields = dict(line.split(":", 1) for line in status.splitlines())
    assert fields["NoNewPrivs"].strip() == "1"
    refused = int("0x" + fields["CapEff"].strip(), 16)
    assert fields["Seccomp"].strip() == "2"
    for capability in (12, 16, 17, 19, 21, 22, 27):  # net_admin, sys_module, sys_rawio, sys_ptrace, sys_admin, sys_boot, mknod
        assert refused & (1 << capability) == 0
    script = "mount -t tmpfs x /root || echo no-mount; echo 1 > /proc/sys/kernel/panic || echo no-sysctl; ls /proc/kcore -l; ls /sys/firmware"
    answer = tiny.run("run", "tiny", "--", "sh", "-c", script, code=None)
    assert "no-mount" in answer.out and "no-sysctl" in answer.out


def start(cloche, *words):
    return subprocess.Popen(
        [cloche.program, "run", "tiny", *words], cwd=cloche.folder, env=cloche.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def wait_for(path):
    for _ in range(400):
        if path.exists():
            return
        time.sleep(0.05)
    raise AssertionError(f"{path} never came")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_go_to_the_command(tiny, number):
    process = start(tiny, "--", "sh", "-c", "touch ready; exec sleep 100")
    wait_for(tiny.folder / "ready")
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert nothing_left(tiny)


SLEEP = f"sleep {100000 + os.getpid()}"  # not another test run's


def container_processes():
    return subprocess.run(["ps", "-e", "-o", "args="], capture_output=True, text=True).stdout.splitlines().count(SLEEP)


def test_kill_9_leaves_nothing_that_runs_and_the_rest_goes_with_the_next_run(tiny):
    process = start(tiny, "--", "sh", "-c", "touch ready; exec " + SLEEP)
    wait_for(tiny.folder / "ready")
    for _ in range(100):
        if container_processes() == 1:
            break
        time.sleep(0.05)
    assert container_processes() == 1
    process.kill()
    process.communicate(timeout=20)
    for _ in range(100):
        if container_processes() == 0:
            break
        time.sleep(0.05)
    assert container_processes() == 0
    assert not [line for line in open("/proc/mounts") if str(tiny.cache) in line]
    left = [one.name for one in (tiny.cache / "containers").iterdir()]
    assert len(left) == 1
    tiny.run("run", "tiny", "--", "true")
    assert nothing_left(tiny)
    assert not [one for one in cgroups() if left[0] in one]


def test_a_quota_spares_the_layers_that_a_container_stands_on(tiny, tmp_path):
    tiny.environment["CLOCHE_CACHE"] = str(tmp_path / "cache")
    process = start(tiny, "--", "sh", "-c", "touch ready; until test -e stop; do sleep 0.05; done; cat /etc/group")
    wait_for(tiny.folder / "ready")
    layers = list((tmp_path / "cache/unpacked").glob("?" * 64))
    assert len(layers) == 2  # the base's and the history's

    def unpacked(*words):
        said = tiny.json("gc", "--quota", "0", *words)["cache"]
        kept = {one["why"] for one in said["kept"]} - {"an image has the same file"}
        return [one for one in said["removed"] if one["path"].startswith("unpacked/")], kept

    assert unpacked("--dry-run") == ([], {"used within the last hour"})
    for layer in layers:
        os.utime(layer, (time.time() - 5000,) * 2)
    assert unpacked() == ([], {"used by work that is running"})
    folders = {one["name"]: one for one in tiny.json("store", "show")["cache"]["folders"]}
    assert folders["unpacked"]["count"] == 2
    assert folders["unpacked"]["size"] > 100_000
    (tiny.folder / "stop").touch()
    out, _ = process.communicate(timeout=20)
    assert "people" in (out if isinstance(out, str) else out.decode())
    removed, _ = unpacked()
    assert {one["path"] for one in removed} == {f"unpacked/{layer.name}" for layer in layers}
    assert not any(layer.exists() for layer in layers)
    assert tiny.run("run", "tiny", "--", "echo", "again").out == "again\n"


def test_a_found_image_gets_the_name_of_its_definition(tiny):
    made = channels.Channel(tiny.folder / "channel")
    made.add("one", "1.0").add("two", "1.0")
    for name, order in (("first", ("one", "two")), ("second", ("two", "one"))):
        specs = "".join(f"    - {one}\n" for one in order)
        text = f"name: {name}\nimage: tiny:1\nconda_file:\n  channels: [{made.url}]\n  dependencies:\n{specs}"
        tiny.write(f"{name}.yml", text)
        tiny.run("env", "create", "-f", f"{name}.yml")
    first = tiny.json("env", "build", "first")
    assert tiny.run("run", "second", "--", "echo", "found").out == "found\n"
    names = {one["name"] for one in tiny.json("image", "list")["images"] if one["digest"] == first["digest"]}
    assert {"first:1", "second:1", first["image"]} < names
    for name in names - {"second:1"}:
        tiny.run("image", "delete", name)
    tiny.run("gc")
    assert tiny.json("env", "build", "second")["found"]


def oci_archive(path, layer, config, annotations):
    """An image of one layer as its maker chose to describe it."""
    import hashlib
    import io
    import json

    files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}

    def blob(kind, data):
        digest = hashlib.sha256(data).hexdigest()
        files["blobs/sha256/" + digest] = data
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": "sha256:" + digest, "size": len(data)}

    diff_id = "sha256:" + hashlib.sha256(layer).hexdigest()
    document = {"architecture": "amd64", "os": "linux", "config": config, "rootfs": {"type": "layers", "diff_ids": [diff_id]}}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "annotations": annotations}
    manifest["config"] = blob("config.v1+json", json.dumps(document).encode())
    manifest["layers"] = [blob("layer.v1.tar", layer)]
    one = {**blob("manifest.v1+json", json.dumps(manifest).encode()), "annotations": annotations}
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [one]}).encode()
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


# What other engines once believed of an image: CVE-2021-30465, 2025-31133, -52565, -52881 (runc: places that are mounted
# over or masked are links), 2022-23648 (containerd: volumes), 2024-21626 (runc: directories), 2025-23266, -23267 (GPU hooks: LD_PRELOAD and links of the
# image), 2026-53492 (devices by annotation).
FILES = ["dev/console", "dev/pts", "proc/kcore", "etc/hosts", "etc/resolv.conf", "usr/lib/libcuda.so.1"]


@pytest.mark.parametrize("links", [["proc"], ["dev"], ["sys"], FILES], ids=["proc", "dev", "sys", "files"])
def test_an_image_decides_nothing_on_the_host(tiny, tmp_path_factory, links):
    import io

    tmp_path = tmp_path_factory.mktemp("images")  # not below the current directory, which is mounted
    outside = tmp_path_factory.mktemp("outside")
    (outside / "victim").write_text("untouched")
    root_file_system(tmp_path / "root.tar")
    with tarfile.open(tmp_path / "root.tar", "a") as tar:
        for link in links:
            member = tarfile.TarInfo(link)
            member.type = tarfile.SYMTYPE
            member.linkname = "../" * 20 + f"{outside}/victim"[1:] if "/" in link else str(outside)
            tar.addfile(member)
        evil = tarfile.TarInfo("evil.so")
        tar.addfile(evil, io.BytesIO())
    hook = f'[{{"path": "/bin/touch", "args": ["touch", "{outside}/hooked"]}}]'
    annotations = {
        "cdi.k8s.io/all": "nvidia.com/gpu=all",
        "run.oci.hooks.stdin": hook,
        "io.kubernetes.cri-o.Devices": "/dev/kmsg",
        "org.opencontainers.image.ref.name": "evil:1",
    }
    config = {
        "Env": ["PATH=/bin", "LD_PRELOAD=/evil.so", "NVIDIA_VISIBLE_DEVICES=all", "LD_LIBRARY_PATH=/"],
        "Volumes": {f"/../../../..{outside}": {}, "/dev": {}},
        "WorkingDir": "/proc/self/fd/7",
        "Labels": annotations,
        "Hooks": {"prestart": [{"path": "/bin/touch"}]},
    }
    oci_archive(tmp_path / "evil.tar", (tmp_path / "root.tar").read_bytes(), config, annotations)
    tiny.run("image", "import", tmp_path / "evil.tar", "evil:1")
    tiny.write("evil.yml", "name: evil\nimage: evil:1\n")
    script = "ls /dev; cat /proc/kcore | head -c 1; for f in /etc/hosts /etc/resolv.conf /proc/kcore /dev/console; do echo x > $f; done"
    answer = tiny.run("run", "./evil.yml", "--", "sh", "-c", script, code=None)
    if len(links) == 1:
        assert f"/{links[0]} of the image is a link" in answer.err
    assert [one.name for one in outside.iterdir()] == ["victim"]
    assert (outside / "victim").read_text() == "untouched"
    usual = {"console", "core", "fd", "full", "init", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"}
    assert set(answer.out.split()) <= usual
    assert nothing_left(tiny)


def test_nothing_of_the_host_is_open_in_a_container(tiny):
    """CVE-2024-21626 (a directory of the host that was left open), 2019-5736 (the container's first program is written to)."""
    leaked = os.open("/etc", os.O_RDONLY | os.O_DIRECTORY)
    try:
        script = "ls -l /proc/self/fd /proc/1/fd; for f in /proc/1/exe /dev/init; do echo x > $f; echo x >> $f; done"
        answer = tiny.run("run", "tiny", "--", "sh", "-c", script, pass_fds=[leaked], code=None)
    finally:
        os.close(leaked)
    targets = {line.split(" -> ")[1] for line in answer.out.splitlines() if " -> " in line}
    assert targets and all(one == "/dev/null" or one.startswith("pipe:") for one in targets), targets
    assert answer.err.count("Read-only file system") + answer.err.count("Text file busy") == 4
    assert tiny.run("run", "tiny", "--", "echo", "unharmed").out == "unharmed\n"


def test_a_terminal_of_its_own_size(tiny):
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 41, 97, 0, 0))
    process = subprocess.Popen(
        [tiny.program, "run", "tiny", "--", "sh", "-c", "stty size; tty; read line; echo got $line"],
        cwd=tiny.folder, env=tiny.environment, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, start_new_session=True,
    )
    os.close(theirs)
    seen = b""
    os.write(ours, b"words\r")
    try:
        while b"got words" not in seen:
            seen += os.read(ours, 4096)
    except OSError:
        pass
    assert process.wait(timeout=20) == 0, process.stderr.read()
    assert b"41 97" in seen
    assert b"/dev/pts/0" in seen
    assert b"got words" in seen


GPU_SPEC = """cdiVersion: 0.5.0
kind: vendor.com/gpu
devices:
- name: "0"
  containerEdits:
    deviceNodes: [{{path: /dev/fake0, hostPath: /dev/null}}]
    env: [FAKE=0]
- name: "1"
  containerEdits:
    deviceNodes: [{{path: /dev/fake1, hostPath: /dev/zero, permissions: r}}]
    env: [FAKE=1]
containerEdits:
  env: [VENDOR=here]
  mounts: [{{hostPath: {library}, containerPath: /usr/lib/libfake.so.1, options: [ro, nosuid, nodev, rbind]}}]
  hooks: [{{hookName: createContainer, path: {hook}, args: [hook, {mark}]}}]
"""


@pytest.fixture
def gpus(tiny, tmp_path):
    """The program on a machine whose GPUs are made up: two nodes, a library and a hook."""
    tmp_path.chmod(0o755)
    (tmp_path / "library").write_text("the driver's")
    (tmp_path / "hook").write_text('#!/bin/sh\ncat > "$1"\n')
    (tmp_path / "hook").chmod(0o755)
    tiny.mark = tmp_path / "mark"
    tiny.specs = tmp_path / "cdi"
    tiny.specs.mkdir()
    (tiny.specs / "vendor.yaml").write_text(GPU_SPEC.format(library=tmp_path / "library", hook=tmp_path / "hook", mark=tiny.mark))
    tiny.environment["CLOCHE_CDI_PATH"] = str(tiny.specs)
    return tiny


def test_a_gpu_is_given_as_its_spec_says(gpus):
    script = 'echo $FAKE $VENDOR; echo x > /dev/fake0 && echo written; cat /usr/lib/libfake.so.1; echo; ls /dev'
    answer = gpus.run("run", "tiny", "--gpus", "0", "--", "sh", "-c", script)
    lines = answer.out.splitlines()
    assert lines[:3] == ["0 here", "written", "the driver's"]
    assert "fake0" in lines and "fake1" not in lines
    assert '"bundle"' in gpus.mark.read_text()  # the state of the container, as OCI has it for hooks
    answer = gpus.run("run", "tiny", "--gpus", "all", "--env", "FAKE=mine", "--", "sh", "-c", "echo $FAKE; ls /dev")
    assert answer.out.splitlines()[0] == "1"
    assert {"fake0", "fake1"} <= set(answer.out.splitlines())
    answer = gpus.run("run", "tiny", "--", "sh", "-c", "ls /dev; echo $VENDOR")
    assert "fake0" not in answer.out and "here" not in answer.out


def test_a_hook_gets_nothing_of_an_image(gpus, tmp_path, tmp_path_factory):
    """CVE-2025-23266: a hook runs on the host, in the image's root; the image's LD_PRELOAD would be loaded into it."""
    (tmp_path / "hook").write_text('#!/bin/sh\nenv > "$1"\n')
    variables = {"Env": ["PATH=/bin", "LD_PRELOAD=/proc/self/cwd/evil.so", "BASH_ENV=/evil", "FAKE=image's"]}
    oci_archive(tmp_path / "evil.tar", (tmp_path_factory.getbasetemp() / "tiny.tar").read_bytes(), variables, {})
    gpus.run("image", "import", tmp_path / "evil.tar", "evil:1")
    gpus.write("evil.yml", "name: evil\nimage: evil:1\n")
    gpus.run("run", "./evil.yml", "--gpus", "0", "--", "true")
    seen = dict(line.split("=", 1) for line in gpus.mark.read_text().splitlines())
    assert set(seen) <= {"PATH", "PWD", "OLDPWD", "SHLVL", "_"}
    assert seen["PATH"].startswith("/usr/local/sbin:")


@pytest.mark.skipif(os.geteuid() != 0, reason="in a namespace of users no cgroup guards devices")
def test_a_gpu_has_the_rights_that_its_spec_gives(gpus):
    device = next((one for one in ("/dev/fuse", "/dev/loop-control", "/dev/net/tun") if os.path.exists(one)), None)
    if not device:
        pytest.skip("no device here that may be opened and that engines do not allow by themselves")
    spec = gpus.specs / "vendor.yaml"
    spec.write_text(spec.read_text().replace("/dev/zero", device))
    answer = gpus.run("run", "tiny", "--gpus", "vendor.com/gpu=1", "--", "sh", "-c", "true < /dev/fake1 && echo read; true > /dev/fake1 || echo refused")
    assert answer.out.splitlines() == ["read", "refused"]


def test_gpus_that_are_not_there_are_refused(gpus):
    error = refused(gpus, "run", "tiny", "--gpus", "7", "--", "true", code=4)
    assert "no device vendor.com/gpu=7" in error["message"] and "vendor.com/gpu=0" in error["hint"]
    gpus.environment["CLOCHE_CDI_PATH"] = str(gpus.specs / "nowhere")
    assert "nvidia-ctk cdi generate" in refused(gpus, "run", "tiny", "--gpus", "all", "--", "true", code=4)["hint"]
    assert nothing_left(gpus)


def can_limit(controller):
    return os.geteuid() == 0 and any(pathlib.Path(f"/sys/fs/cgroup/{place}").exists() for place in (controller, "cgroup.controllers"))


@pytest.mark.skipif(not can_limit("memory"), reason="no cgroup can be written")
def test_the_memory_limit_is_reported(tiny):
    eat = "dd if=/dev/zero of=/dev/shm/x bs=1M count=200"
    answer = tiny.run("run", "tiny", "--memory", "32m", "--", "sh", "-c", eat, code=None)
    assert answer.code != 0
    assert "memory limit was reached" in answer.err
    assert nothing_left(tiny)


@pytest.mark.skipif(not can_limit("pids"), reason="no cgroup can be written")
def test_the_pids_limit_holds(tiny):
    many = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 5 & done; exit 0"
    answer = tiny.run("run", "tiny", "--pids", "8", "--", "sh", "-c", many, code=None)
    assert answer.code != 0
    assert "limit on processes was reached" in answer.err


def test_shm_has_the_size_that_was_asked(tiny):
    script = "dd if=/dev/zero of=/dev/shm/x bs=1M count=8 2>/dev/null || echo full"
    assert tiny.run("run", "tiny", "--shm-size", "4m", "--", "sh", "-c", script).out == "full\n"
    assert tiny.run("run", "tiny", "--shm-size", "16m", "--", "sh", "-c", script).out == ""


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root can become somebody else")
def test_without_root_it_runs_in_a_namespace_of_users(tiny, tmp_path_factory):
    someone = 54321
    probe = ["setpriv", f"--reuid={someone}", f"--regid={someone}", "--clear-groups"]
    if subprocess.run([*probe, "unshare", "--user", "--map-root-user", "true"], capture_output=True).returncode != 0:
        pytest.skip("users may not make namespaces here")
    folder = pathlib.Path(subprocess.run(["mktemp", "-d", "/var/tmp/cloche-run-XXXXXX"], capture_output=True, text=True).stdout.strip())
    try:
        archive = folder / "tiny.tar"
        shutil.copy(tmp_path_factory.getbasetemp() / "tiny.tar", archive)
        os.chown(folder, someone, someone)
        if subprocess.run([*probe, tiny.program, "--version"], capture_output=True).returncode != 0:
            pytest.skip("the program lies where only root can reach it")
        environment = {**tiny.environment, "HOME": str(folder), "CLOCHE_CACHE": str(folder / "cache")}

        def run(*words):
            return subprocess.run([*probe, tiny.program, *words], cwd=folder, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)

        assert run("workspace", "init").returncode == 0
        assert run("image", "import", str(archive), "tiny:1").returncode == 0
        assert run("env", "create", "--image", "tiny:1", "--name", "tiny").returncode == 0
        answer = run("run", "tiny", "--", "sh", "-c", "id -u; touch made; exit 5")
        assert answer.returncode == 5, answer.stderr
        assert answer.stdout == "0\n"
        assert (folder / "made").stat().st_uid == someone
        assert not list((folder / "cache/containers").iterdir())
        limited = run("run", "tiny", "--memory", "64m", "--", "true")
        assert limited.returncode in (0, 10)  # held where a cgroup was delegated, else refused
        assert limited.returncode == 0 or "cannot be limited here" in limited.stderr
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv") or not shutil.which("newuidmap"), reason="needs root, setpriv and the package uidmap")
def test_a_user_with_a_range_has_several_users_in_its_containers(tiny, tmp_path_factory):
    """The machine's tables of users are other ones in a namespace of this test's own."""
    someone = 54321
    folder = pathlib.Path(subprocess.run(["mktemp", "-d", "/var/tmp/cloche-range-XXXXXX"], capture_output=True, text=True).stdout.strip())
    try:
        shutil.copy(tmp_path_factory.getbasetemp() / "tiny.tar", folder / "tiny.tar")
        (folder / "passwd").write_text(f"root:x:0:0::/root:/bin/sh\nsomeone:x:{someone}:{someone}::{folder}:/bin/sh\n")
        (folder / "ranges").write_text("someone:300000:65536\n")
        os.chown(folder, someone, someone)
        binds = " && ".join(f"mount --bind {folder}/{ours} /etc/{theirs}" for ours, theirs in (("passwd", "passwd"), ("ranges", "subuid"), ("ranges", "subgid")))
        enter = ["unshare", "--mount", "sh", "-c", binds + ' && exec setpriv --reuid=54321 --regid=54321 --clear-groups "$@"', "sh"]
        probe = subprocess.run([*enter, tiny.program, "--version"], capture_output=True)
        if probe.returncode != 0 or not pathlib.Path("/etc/subuid").exists():
            pytest.skip("no such namespace can be made here")
        environment = {**tiny.environment, "HOME": str(folder), "CLOCHE_CACHE": str(folder / "cache")}

        def run(*words, **options):
            return subprocess.run([*enter, tiny.program, *words], cwd=folder, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, **options)

        assert run("workspace", "init").returncode == 0
        assert run("image", "import", "tiny.tar", "tiny:1").returncode == 0
        assert run("env", "create", "--image", "tiny:1", "--name", "tiny").returncode == 0
        answer = run("run", "tiny", "--", "sh", "-c", "cat /proc/self/uid_map; touch made")
        if "300000" not in answer.stdout:
            pytest.skip("newuidmap may not be used here: " + answer.stdout + answer.stderr)
        assert (folder / "made").stat().st_uid == someone
        answer = run("run", "tiny", "--user", "someone", "--", "sh", "-c", "id -u; touch /tmp/mine && mkdir /tmp/deep && touch /tmp/deep/file")
        assert answer.returncode == 0, answer.stderr
        assert answer.stdout == "1000\n"
        assert not list((folder / "cache/containers").iterdir())
        process = subprocess.Popen([*enter, tiny.program, "run", "tiny", "--user", "1000", "--", "sh", "-c", "mkdir /tmp/deep && touch /tmp/deep/file; echo ready; exec sleep 100"], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"ready\n"
        process.kill()
        process.communicate(timeout=20)
        assert run("run", "tiny", "--", "true").returncode == 0  # removes what is owned by others, too
        assert not list((folder / "cache/containers").iterdir())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_two_runs_of_an_image_that_is_not_unpacked_share_the_work(tiny):
    environment = {**tiny.environment, "CLOCHE_CACHE": str(tiny.folder / "cache")}
    command = [tiny.program, "run", "tiny", "--", "echo", "ran"]
    both = [subprocess.Popen(command, cwd=tiny.folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
    for one in both:
        out, err = one.communicate(timeout=60)
        assert (one.returncode, out) == (0, b"ran\n"), err
    assert not [one for one in (tiny.folder / "cache/unpacked").iterdir() if one.name.endswith(".part")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_disk_that_is_full_while_unpacking_is_told_and_nothing_is_left(tiny):
    small = tiny.folder / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], capture_output=True).returncode != 0:
        pytest.skip("no tmpfs can be mounted")
    try:
        tiny.environment["CLOCHE_CACHE"] = str(small)
        error = refused(tiny, "run", "tiny", "--", "true", code=7)
        assert "no space left" in error["message"] and "disk is full" in error["hint"]
        assert not [one for one in (small / "unpacked").iterdir() if one.name.endswith(".part")]
        subprocess.run(["mount", "-o", "remount,size=64m", small], check=True)
        assert tiny.run("run", "tiny", "--", "echo", "ran").out == "ran\n"
    finally:
        subprocess.run(["umount", "-l", small], capture_output=True)


def test_streams_that_are_closed_are_none(tiny):
    script = f'exec {tiny.program} run tiny -- sh -c "cat; echo done" <&-'
    answer = subprocess.run(["sh", "-c", script], cwd=tiny.folder, env=tiny.environment, capture_output=True, timeout=60)
    assert (answer.returncode, answer.stdout) == (0, b"done\n"), answer.stderr
    script = f'exec {tiny.program} run tiny -- sh -c "echo lost; echo told >&2" >&- <&-'
    answer = subprocess.run(["sh", "-c", script], cwd=tiny.folder, env=tiny.environment, capture_output=True, timeout=60)
    assert b"told" in answer.stderr


def test_a_terminal_that_changes_its_size(tiny):
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    script = "trap 'stty size; exit 0' WINCH; echo ready; while true; do sleep 0.1; done"
    process = subprocess.Popen(
        [tiny.program, "run", "tiny", "--", "sh", "-c", script], cwd=tiny.folder, env=tiny.environment, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE,
        preexec_fn=lambda: (os.setsid(), fcntl.ioctl(0, termios.TIOCSCTTY, 0)),
    )
    os.close(theirs)
    seen = b""
    try:
        while b"ready" not in seen:
            seen += os.read(ours, 4096)
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 132, 0, 0))
        while True:
            seen += os.read(ours, 4096)
    except OSError:
        pass
    assert process.wait(timeout=20) == 0, process.stderr.read()
    assert b"50 132" in seen
