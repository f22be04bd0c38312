"""What is run while an image is built: the environment's own Python, in a container, over a small base."""
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

import channel as channels
import pytest

VERSION = "%d.%d" % sys.version_info[:2]
PROGRAM = pathlib.Path(f"/usr/bin/python{VERSION}")
LIBRARY = pathlib.Path(f"/usr/lib/python{VERSION}")
PACKAGES = f"opt/cloche/env/lib/python{VERSION}/site-packages"


def libraries(program):
    """The C library and what else a program of this machine loads."""
    out = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(/\S+)", out)


def write_base(path, paths):
    with tarfile.open(path, "w") as tar:
        for name in ["/bin/sh", "/bin/rm", "/bin/true", *paths]:
            tar.add(os.path.realpath(name), name.lstrip("/"))
        for name in ("tmp", "usr"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)


def python_files():
    """This machine's Python as a conda package has it: enough of it to start and to compile."""
    code = "import sys, py_compile; print(*(getattr(one, '__file__', None) or '' for one in sys.modules.values()), sep='\\n')"
    out = subprocess.run([PROGRAM, "-E", "-s", "-S", "-c", code], capture_output=True, text=True, check=True).stdout
    sources = {pathlib.Path(one) for one in out.split() if one.startswith(f"{LIBRARY}/")} | {LIBRARY / "os.py"}
    files = {f"lib/python{VERSION}/{one.relative_to(LIBRARY)}": one.read_bytes() for one in sorted(sources)}
    return {f"bin/python{VERSION}": PROGRAM.read_bytes(), **files}


@pytest.fixture
def channel(cloche):
    if os.getuid() != 0 or not (shutil.which("runc") or shutil.which("crun")):
        pytest.skip("needs root, and runc or crun")
    if not PROGRAM.exists() or not (LIBRARY / "os.py").exists() or not shutil.which("zstd"):
        pytest.skip("needs the Python of Debian, and zstd")
    made = channels.Channel(cloche.folder / "channel")
    made.add("python", f"{VERSION}.1", ["libthing"], python_files(), subdir="linux-64", large=True)
    made.add("pip", "1.0", ["python"], {"site-packages/pip.py": "x = 1\n"}, noarch="python")
    made.add("libthing", "1.0", [], {"lib/thing": "1"}, subdir="linux-64")
    site = {"site-packages/tool/__init__.py": "def f(x):\n    return x in {1, None}\n", "site-packages/tool/bad.py": "def ("}
    made.add("tool", "1.0", ["python"], site, noarch="python")
    made.add("other", "1.0", ["python"], {"site-packages/other.py": "y = 2\n"}, noarch="python")
    write_base(cloche.folder / "base.tar", dict.fromkeys([*libraries(PROGRAM), *libraries("/bin/sh"), *libraries("/bin/true")]))
    cloche.run("image", "import", "base.tar", "small:1")
    write(cloche, made, "environment.yml", "tool", "other")
    return made


def write(cloche, channel, name, *dependencies, image="small:1"):
    conda = {"channels": [channel.url], "dependencies": list(dependencies)}
    cloche.write(name, json.dumps({"name": "train", "image": image, "conda_file": conda}))


def built(cloche, name="environment.yml", *words, **options):
    answer = cloche.json("env", "build", name, *words, **options)
    if answer["without_bytecode"] and "--no-bytecode" not in words:
        pytest.skip(f"no container here: {answer['without_bytecode']}")
    return answer


def files_of(cloche, digest):
    """path -> content of everything below the prefix."""
    blobs = pathlib.Path(cloche.json("workspace", "show")["directory"]) / "blobs/sha256"
    manifest = json.loads((blobs / digest.removeprefix("sha256:")).read_text())
    files = {}
    for layer in manifest["layers"]:
        if layer["mediaType"].endswith("zstd"):
            data = subprocess.run(["zstd", "-dcq", blobs / layer["digest"].removeprefix("sha256:")], capture_output=True, check=True)
            with tarfile.open(fileobj=io.BytesIO(data.stdout)) as tar:
                files.update({one.name: tar.extractfile(one).read() for one in tar if one.isfile()})
    return files


def test_noarch_packages_are_compiled(cloche, channel):
    answer = built(cloche)
    files = files_of(cloche, answer["digest"])
    tag = "cpython-" + VERSION.replace(".", "")
    code = files[f"{PACKAGES}/tool/__pycache__/__init__.{tag}.pyc"]
    assert code[4] == 3  # checked against the source's hash
    assert f"/{PACKAGES}/tool/__init__.py".encode() in code
    assert f"{PACKAGES}/tool/__pycache__/bad.{tag}.pyc" not in files
    record = json.loads(files["opt/cloche/env/conda-meta/tool-1.0-0.json"])
    assert f"lib/python{VERSION}/site-packages/tool/__pycache__/__init__.{tag}.pyc" in record["files"]
    # It is the same everywhere, and a look-up the second time.
    assert built(cloche)["found"]
    assert built(cloche, "environment.yml", "--verify")["verified"]
    # One package more is one more compiled.
    channel.add("third", "1.0", ["python"], {"site-packages/third.py": "z = 3\n"}, noarch="python")
    write(cloche, channel, "more.yml", "tool", "other", "third")
    more = built(cloche, "more.yml", "--refresh")
    assert more["packages_made"] == 1
    # Another library is none of bytecode's business, another interpreter is.
    channel.add("libthing", "1.1", [], {"lib/thing": "2"}, subdir="linux-64")
    write(cloche, channel, "library.yml", "tool", "other", "libthing=1.1")
    assert built(cloche, "library.yml", "--refresh")["packages_made"] == 1
    channel.add("python", f"{VERSION}.2", ["libthing"], {**python_files(), "share/new": "x"}, subdir="linux-64")
    write(cloche, channel, "python.yml", "tool", "other", f"python={VERSION}.2")
    assert built(cloche, "python.yml", "--refresh")["packages_made"] == 4


def test_without_a_container_the_image_is_another_and_says_so(cloche, channel):
    with_bytecode = built(cloche)
    none = cloche.json("env", "build", "environment.yml", "--no-bytecode")
    assert none["without_bytecode"] is None and none["digest"] != with_bytecode["digest"]
    assert not [path for path in files_of(cloche, none["digest"]) if path.endswith(".pyc")]
    # A machine that has no runc and no crun makes the same image as --no-bytecode.
    hide = "for one in runc crun; do place=$(command -v $one) && mount --bind /dev/null $place; done"
    program = cloche.write("cloche", f"#!/bin/sh\nexec unshare -m sh -c '{hide}; exec {cloche.program} \"$@\"' cloche \"$@\"\n")
    program.chmod(0o755)
    cloche.program = str(program)
    env = {"PATH": "/usr/sbin:/sbin:/usr/bin:/bin", "HOME": str(cloche.folder / "elsewhere")}
    os.makedirs(env["HOME"])
    cloche.run("image", "import", "base.tar", "small:1", env=env)
    elsewhere = cloche.json("env", "build", "environment.yml", env=env)
    assert "runc" in elsewhere["without_bytecode"] and elsewhere["digest"] == none["digest"]
    assert cloche.json("env", "build", "environment.yml", "--dry-run", env=env)["found"]


def test_a_base_without_a_c_library_gets_no_bytecode(cloche, channel):
    with tarfile.open(cloche.folder / "empty.tar", "w") as tar:
        tar.add("/bin/true", "bin/true")
    cloche.run("image", "import", "empty.tar", "empty:1")
    write(cloche, channel, "environment.yml", "tool", image="empty:1")
    answer = cloche.json("env", "build", "environment.yml")
    assert f"bin/python{VERSION} does not run on the base empty:1" in answer["without_bytecode"]
    assert cloche.json("env", "build", "environment.yml")["digest"] == answer["digest"]


def test_post_link_scripts_are_run(cloche, channel):
    script = "#!/bin/bash\necho $PKG_NAME $PKG_VERSION $PKG_BUILDNUM > $PREFIX/made; echo please read > $PREFIX/.messages.txt\n"
    channel.add("linked", "1.0", ["tool"], {"bin/.linked-post-link.sh": script + "rm $PREFIX/share/old\n", "share/old": "x"}, number=7)
    write(cloche, channel, "linked.yml", "linked")
    run = cloche.run("env", "build", "linked.yml", "--refresh", "--output", "json", code=None)
    if run.code == 10:
        pytest.skip(run.err.splitlines()[-1])
    assert "linked: please read" in run.err, run.err
    answer = run.json
    assert (answer["scripts_run"], answer["scripts"]) == (["linked"], [])
    files = files_of(cloche, answer["digest"])
    assert files["opt/cloche/env/made"] == b"linked 1.0 7\n"
    assert "opt/cloche/env/share/.wh.old" in files and "opt/cloche/env/.messages.txt" not in files
    assert "post-link scripts of linked" in cloche.run("image", "tree", answer["digest"]).out
    assert built(cloche, "linked.yml")["found"]
    left = cloche.json("env", "build", "linked.yml", "--no-scripts")
    assert left["digest"] != answer["digest"] and [one["action"] for one in left["scripts"]] == ["post-link"]
    channel.add("linked", "2.0", ["tool"], {"bin/.linked-post-link.sh": "echo no good; exit 3\n"})
    write(cloche, channel, "linked.yml", "linked=2.0")
    error = cloche.error("env", "build", "linked.yml", "--refresh", code=3)
    assert "the post-link script of linked ended with 3: no good" in error["message"]
