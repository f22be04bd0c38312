"""Environments in directories of this machine: `cloche env activate`, with a real Python."""
import json
import pathlib
import subprocess

import channel as channels
import pytest
import test_bytecode as python

pytestmark = pytest.mark.skipif(not python.PROGRAM.exists() or not (python.LIBRARY / "os.py").exists(), reason="needs the Python of Debian")

SITE = f"import sys, site; site.addsitedir(sys.prefix + '/lib/python{python.VERSION}/site-packages'); "  # Debian's own looks into dist-packages
START = SITE + "import marker; print(sys.prefix); print(marker.place)"


def modules_at_start():
    """What Python imports when it starts with its site-packages."""
    code = "import sys; print(*(getattr(one, '__file__', None) or '' for one in sys.modules.values()), sep='\\n')"
    out = subprocess.run([python.PROGRAM, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    sources = {pathlib.Path(one) for one in out.split() if one.startswith(f"{python.LIBRARY}/") and "site-packages" not in one}
    return {f"lib/python{python.VERSION}/{one.relative_to(python.LIBRARY)}": one.read_bytes() for one in sources if one.suffix == ".py"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Made once: Python's package is some megabytes."""
    made = channels.Channel(tmp_path_factory.mktemp("activate") / "channel")
    files = {**python.python_files(), **modules_at_start()}
    files["bin/python"] = files.pop(f"bin/python{python.VERSION}")
    made.add("python", f"{python.VERSION}.1", [], files, subdir="linux-64", large=True)
    made.add("pip", "1.0", ["python"], {"site-packages/pip.py": "x = 1\n"}, noarch="python")
    made.add("marker", "1.0", ["python"], {"site-packages/marker.py": "place = __file__\n"}, noarch="python")
    scripts = {"etc/conda/activate.d/b.sh": "MARK=on\n", "etc/conda/deactivate.d/b.sh": "unset MARK\n"}
    made.add("marker", "2.0", ["python"], {"site-packages/marker.py": "place = __file__\n", **scripts}, noarch="python")
    return made


@pytest.fixture
def train(cloche, packages):
    definition(cloche, packages, "marker=1.0")
    return cloche


def definition(cloche, packages, *dependencies):
    conda = {"channels": [packages.url], "dependencies": list(dependencies)}
    cloche.write("environment.yml", json.dumps({"name": "train", "image": "scratch", "conda_file": conda, "environment_variables": {"WHO": "it's me"}}))


def test_python_starts_from_the_directory(train):
    record = train.json("env", "activate", "environment.yml", "--to", "venv")
    prefix = train.folder / "venv"
    assert record["state"] == "made" and record["prefix"] == str(prefix)
    out = subprocess.run([record["python"], "-c", START], capture_output=True, text=True, check=True, env={}).stdout.splitlines()
    assert out == [str(prefix), f"{prefix}/lib/python{python.VERSION}/site-packages/marker.py"]
    settings = json.loads(train.run("env", "activate", "environment.yml", "--to", "venv", "--print", "vscode").out)
    assert settings == {"python.defaultInterpreterPath": f"{prefix}/bin/python"}
    (prefix / "added").touch()
    assert train.json("env", "activate", "environment.yml", "--to", "venv")["state"] == "kept"
    assert (prefix / "added").exists()


def test_a_shell_gets_it_and_gives_it_back(train, packages):
    definition(train, packages, "marker=2.0")
    (train.folder / "bin").symlink_to(pathlib.Path(train.program).parent)
    script = (
        'eval "$(bin/cloche env activate environment.yml)" && command -v python && python -c "$START" && echo "$WHO $MARK"\n'
        'cloche_deactivate; command -v python; echo "${CONDA_PREFIX-none} ${MARK-none}"'
    )
    out = subprocess.run(["sh", "-c", script], cwd=train.folder, env={**train.environment, "PATH": "/bin", "START": START}, capture_output=True, text=True).stdout.splitlines()
    place = train.run("env", "activate", "environment.yml", "--print", "path").out.strip()
    assert out[:2] == [f"{place}/bin/python", place]
    assert out[3] == "it's me on"
    assert out[-1] == "none none"
    assert f"{place}/bin/python" not in out[4:]


def test_what_has_no_lock_any_more_goes_with_gc(train, packages):
    train.run("env", "create", "-f", "environment.yml")
    first = pathlib.Path(train.json("env", "activate", "train")["prefix"])
    train.run("gc")
    assert (first / "bin/python").exists()
    packages.add("extra", "1.0", [])
    record = train.json("env", "activate", "train", "--to", "venv")
    train.run("env", "lock", "train", "--virtual-package", "__cuda=12.4")  # another target's; this one's stays
    assert train.json("env", "activate", "train")["state"] == "kept"
    gone = train.folder / "other"  # as if the workspace that had it were gone
    (first / "conda-meta/cloche-activated").write_text((first / "conda-meta/cloche-activated").read_text().replace('"workspace": "', f'"workspace": "{gone}'))
    dry = train.json("gc", "--dry-run")
    assert first.exists()
    assert any(one["path"] == f"activated/{first.name}" for one in dry["cache"]["removed"])
    train.run("gc")
    assert not first.exists()
    assert pathlib.Path(record["python"]).exists()  # not in the cache: its owner's


def test_what_is_in_the_way_is_not_touched(train):
    (train.folder / "mine").mkdir()
    (train.folder / "mine/file").touch()
    assert train.error("env", "activate", "environment.yml", "--to", "mine", code=5)
    assert (train.folder / "mine/file").exists()


def test_two_at_once_make_one(train):
    train.run("env", "lock", "environment.yml")
    command = [train.program, "--output", "json", "env", "activate", "environment.yml"]
    both = [subprocess.Popen(command, cwd=train.folder, env=train.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    states = sorted(json.loads(one.communicate()[0])["state"] for one in both)
    assert states == ["kept", "made"]
