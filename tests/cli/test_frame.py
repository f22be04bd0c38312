"""What all commands have in common."""
import json
import os
import pathlib
import pty
import re
import resource
import shutil
import subprocess

import files
import pytest

COMMANDS = (
    [f"env {verb}" for verb in "create show list history diff explain update archive restore label copy share export save load lint".split()]
    + ["registry create", "registry list", "workspace init", "workspace show", "completion"]
)
MANUAL = pathlib.Path(__file__).resolve().parents[2] / "docs/manual/cli.md"


def in_terminal(cloche, words, env=None):
    """Output as a terminal of 70 columns gets it."""
    master, slave = pty.openpty()
    environment = {**cloche.environment, "TERM": "xterm", "COLUMNS": "70", **(env or {})}
    process = subprocess.Popen(
        [cloche.program, *words], stdin=slave, stdout=slave, stderr=slave, cwd=cloche.folder, env=environment
    )
    os.close(slave)
    out = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        out += piece
    process.wait()
    os.close(master)
    return out.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_manual_page(cloche, command):
    page = cloche.run(*command.split(), "--help").out
    for part in ["NAME\n", "SYNOPSIS\n", "DESCRIPTION\n", "GLOBAL OPTIONS\n", "EXAMPLES\n", "EXIT CODES\n", "SEE ALSO\n"]:
        assert part in page
    assert f"cloche {command} - " in page and "    $ " in page
    assert all(len(line) <= 80 for line in page.splitlines() if not line.startswith("    $ "))
    assert cloche.run("help", *command.split()).out == page
    assert cloche.run(*command.split(), "-h").out == page
    assert cloche.json(*command.split(), "--help")["help"] == page
    for other in re.findall(r"cloche (\w+ \w+)", page.split("SEE ALSO")[1]):
        assert other in COMMANDS


def test_pages_of_the_program_and_of_nouns(cloche):
    page = cloche.run("--help").out
    assert cloche.run().out == page and cloche.run("help").out == page
    for noun in ("env", "registry", "workspace"):
        assert f"    {noun} " in page
        assert "cloche " + noun in cloche.run(noun, "--help").out
    assert cloche.run("--version").out.startswith("cloche 0.")
    assert cloche.json("--version")["version"]


@pytest.mark.parametrize(
    "words, message, hint",
    [
        ("enw list", "unknown command 'enw'", "did you mean cloche env?"),
        ("create -f x", "unknown command 'create'", "did you mean cloche env create?"),
        ("env craete", "unknown command 'env craete'", "did you mean cloche env create?"),
        ("env", "cloche env needs a verb", "create, show"),
        ("env show", "the argument REF is missing", "cloche env show --help"),
        ("env show a b", "unexpected argument 'b'", "--help"),
        ("env list --arch", "unknown option '--arch' for cloche env list", "did you mean --archived?"),
        ("env list --outptu json", "unknown option '--outptu' for cloche env list", "did you mean --output?"),
        ("env list --output jsn", "'jsn' is no value of --output", "did you mean json?"),
        ("completion bsh", "'bsh' is no value of SHELL", "did you mean bash?"),
        ("--verson", "unknown option '--verson'", "did you mean --version?"),
    ],
)
def test_typos_get_the_nearest_name(cloche, words, message, hint):
    answer = cloche.run(*words.split(), code=2)
    assert answer.out == ""
    assert f"error: {message}\n" in answer.err and hint in answer.err


def test_output_is_accepted_anywhere_and_the_last_wins(cloche):
    for words in (["--output", "json", "env", "list"], ["env", "--output=json", "list"], ["env", "list", "--output", "json"]):
        assert "environments" in cloche.run(*words).json
    assert "environments:" in cloche.run("--output", "json", "env", "list", "--output", "yaml").out
    yaml = pytest.importorskip("yaml")
    assert yaml.safe_load(cloche.run("env", "list", "--output", "yaml").out) == cloche.json("env", "list")


def shape_problem(wanted, given, path="$"):
    """Where `given` lacks a key of `wanted`, has another, or holds another type; "" when nowhere."""
    if isinstance(wanted, dict):
        if not isinstance(given, dict):
            return f"{path} is no object"
        if wanted and path.rsplit(".", 1)[-1] not in ("files", "definition", "tags", "properties"):
            if list(wanted) != list(given):
                return f"{path} has the keys {list(given)}, not {list(wanted)}"
            return next((p for key in wanted if (p := shape_problem(wanted[key], given[key], f"{path}.{key}"))), "")
        return ""
    if isinstance(wanted, list):
        if not isinstance(given, list):
            return f"{path} is no list"
        if wanted and not given:
            return f"{path} is empty"
        return next((p for i, one in enumerate(given) if wanted and (p := shape_problem(wanted[0], one, f"{path}[{i}]"))), "")
    if given is None or wanted is None or type(wanted) is type(given):
        return ""
    return f"{path} is {given!r}, not like {wanted!r}"


def documented_shapes():
    text = MANUAL.read_text()
    pairs = re.findall(r"<!-- shape: (.+?) -->\n```json\n(.*?)```", text, re.S)
    return {name: json.loads(body) for name, body in pairs}


def test_records_are_as_documented(cloche, tmp_path):
    cloche.write("environment.yml", files.CONDA)
    cloche.write("loose.yml", "name: loose\ndependencies: [python, numpy]\n")
    cloche.run("env", "create", "-f", "environment.yml")
    cloche.write("environment.yml", files.CONDA.replace("numpy=1.26", "numpy=2.0"))
    made = cloche.json("env", "create", "-f", "environment.yml")
    shapes = documented_shapes()
    outputs = {
        "env show": ["env", "show", "train"],
        "env list": ["env", "list"],
        "env history": ["env", "history", "train"],
        "env diff": ["env", "diff", "train:1", "train:2"],
        "env explain": ["env", "explain", "train:1", "train:2"],
        "env export": ["env", "export", "train", "--format", "conda"],
        "env lint": ["env", "lint", "loose.yml"],
        "env archive": ["env", "archive", "train:1"],
        "env label": ["env", "label", "train:2", "production"],
        "registry create": ["registry", "create", "team", tmp_path / "team"],
        "workspace init": ["workspace", "init", "project"],
        "workspace show": ["workspace", "show"],
    }
    assert set(outputs) | {"diagnostic", "error"} == set(shapes)
    for name, words in outputs.items():
        given = cloche.run(*words, "--output", "json", code=None).json
        assert not (problem := shape_problem(shapes[name], given)), f"{name}: {problem}"
    error = cloche.error("env", "show", "nobody", code=4)
    assert list(error) == list(shapes["error"])
    said = cloche.run("env", "create", "-f", "loose.yml", "--output", "json").err.splitlines()
    assert list(json.loads(said[0])) == list(shapes["diagnostic"])
    keys = list(shapes["env show"])
    assert list(made) == [*keys, "created"]
    assert list(cloche.json("env", "copy", "train", "copy")) == [*keys, "created"]
    assert list(cloche.json("env", "update", "train", "--tag", "a=b")) == keys
    assert list(cloche.json("env", "share", "train", "--to", "team")) == [*keys, "created", "registry"]
    assert list(cloche.json("env", "save", "train", "x.cloche")) == [*keys[:-1], "file"]
    assert list(cloche.json("env", "load", "x.cloche")) == [*keys, "created"]
    assert list(cloche.json("env", "restore", "train:1")) == list(shapes["env archive"])
    assert list(cloche.json("registry", "list")) == ["registries"]
    assert list(cloche.json("completion", "zsh")) == ["shell", "script"]


def test_colour_only_where_a_terminal_wants_it(cloche):
    cloche.run("env", "create", "--image", "debian:12", "--name", "x", "--description", "long words " * 20)
    escape = "\x1b["
    shown = in_terminal(cloche, ["env", "list"])
    assert escape in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert max(len(line) for line in plain.splitlines()) <= 100 and "..." in plain
    assert escape in in_terminal(cloche, ["env", "show", "nobody"])
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert escape not in in_terminal(cloche, ["env", "list"], env)
        assert "error: " in in_terminal(cloche, ["env", "show", "nobody"], env)
    assert escape not in cloche.run("env", "list").out


def test_a_reader_that_goes_away_is_no_error(cloche):
    command = f"{cloche.program} --help; echo $? >code"
    for ignored in ("", "trap '' PIPE; "):
        done = subprocess.run(
            ["bash", "-c", f"{ignored}({command}) | true; sleep 0.1; ({command}) 2>&1 | head -c 1"],
            cwd=cloche.folder, env=cloche.environment, capture_output=True, timeout=30,
        )
        assert done.stderr == b""
        assert (cloche.folder / "code").read_text().strip() in ("0", "141")


def test_a_full_disk_is_told(cloche):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([cloche.program, "--help"], stdout=full, stderr=subprocess.PIPE, env=cloche.environment)
    assert done.returncode == 7 and b"standard output" in done.stderr


def test_closed_standard_streams_do_no_harm(cloche):
    script = f"{cloche.program} env create --image debian:12 --name x >&- 2>&- <&-"
    subprocess.run(["bash", "-c", script], cwd=cloche.folder, env=cloche.environment, timeout=30)
    assert cloche.json("env", "show", "x")["version"] == "1"


def test_two_at_once_lose_nothing(cloche):
    processes = []
    for number in range(6):
        cloche.write(f"{number}.yml", files.CONDA.replace("numpy=1.26", f"numpy=1.{number}"))
        processes.append(
            subprocess.Popen(
                [cloche.program, "env", "create", "-f", f"{number}.yml", "--output", "json"],
                cwd=cloche.folder, env=cloche.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )
        )
    versions = sorted(json.loads(process.communicate(timeout=60)[0])["version"] for process in processes)
    assert versions == list("123456")
    events = cloche.json("env", "history", "train")["events"]
    assert sorted(one["version"] for one in events) == versions


def unprivileged(words):
    """The words run by somebody for whom permissions count."""
    return words if os.getuid() != 0 else ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *words]


@pytest.mark.skipif(os.getuid() == 0 and not shutil.which("setpriv"), reason="root, and no setpriv")
def test_a_read_only_workspace_can_be_read(cloche, tmp_path):
    cloche.run(*"env create --image debian:12 --name x --workspace ws".split())
    workspace = tmp_path / "ws"
    for path in [*workspace.rglob("*"), workspace]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    parent = tmp_path
    while parent != parent.parent:
        if parent.stat().st_uid == os.getuid() and parent not in (pathlib.Path("/tmp"),):
            parent.chmod(parent.stat().st_mode | 0o055)
        parent = parent.parent

    def run(*words):
        return subprocess.run(
            unprivileged([cloche.program, *words, "--workspace", str(workspace)]),
            cwd="/", env={**cloche.environment, "HOME": "/nonexistent"}, capture_output=True, timeout=30,
        )

    shown = run("env", "show", "x", "--output", "json")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["version"] == "1"
    refused = run("env", "create", "--image", "debian:11", "--name", "x")
    assert refused.returncode == 6, refused.stderr
    assert b"error: " in refused.stderr
    for path in [workspace, *workspace.rglob("*")]:
        path.chmod(0o755)


def test_without_a_home(cloche):
    del cloche.environment["HOME"]
    cloche.run("env", "list", code=None)  # the account's own directory, or an error that says what to do
    cloche.run(*"env create --image debian:12 --name x --workspace ws".split())
    assert cloche.json("env", "show", "x", "--workspace", "ws")["version"] == "1"
    answer = cloche.run("env", "list", env={"HOME": "/proc/nowhere"}, code=None)
    assert answer.code == 0 or "error: " in answer.err


def complete(cloche, *words, **options):
    lines = cloche.run("__complete", *words, **options).out.splitlines()
    return lines[0], [line.split("\t")[0] for line in lines[1:]]


def test_completion_knows_everything(cloche):
    cloche.write("environment.yml", files.CONDA)
    assert complete(cloche, "")[1] == ["env", "image", "job", "registry", "store", "workspace", "gc", "run", "worker", "completion"]
    assert not (cloche.home / ".local").exists()  # asking makes no workspace
    assert complete(cloche, "env", "show", "")[0] == ":files"
    assert not (cloche.home / ".local").exists()
    cloche.run("env", "create", "-f", "environment.yml")
    cloche.run("env", "copy", "train", "train-next")
    cloche.run("env", "copy", "train", "other")
    assert complete(cloche, "e")[1] == ["env"]
    assert "explain" in complete(cloche, "env", "ex")[1]
    assert complete(cloche, "env", "create", "--conda")[1] == ["--conda-file"]
    assert complete(cloche, "env", "create", "-f", "")[0] == ":files"
    assert complete(cloche, "env", "create", "-f", "x", "--fi")[1] == []  # given already
    assert complete(cloche, "env", "create", "--tag", "a=b", "--ta")[1] == ["--tag"]
    assert complete(cloche, "env", "archive", "tr") == (":nothing", ["train", "train-next"])
    assert complete(cloche, "env", "archive", "train:")[1] == ["train:1"]
    assert complete(cloche, "env", "diff", "train", "oth") == (":files", ["other"])
    assert complete(cloche, "env", "list", "--output", "")[1] == ["json", "yaml", "table"]
    assert complete(cloche, "--output", "json", "env", "list", "--output=y")[1] == ["--output=yaml"]
    assert complete(cloche, "env", "export", "train", "--format", "az")[1] == ["azureml-v2", "azureml-v1"]
    assert complete(cloche, "workspace", "init", "") == (":directories", [])
    assert complete(cloche, "completion", "")[1] == ["bash", "zsh", "fish"]
    assert complete(cloche, "env", "lint", "--disable", "")[1]
    assert complete(cloche, "nonsense", "x", "")[1] == []
    assert complete(cloche)[1]
    assert complete(cloche, "env", "show", "tr", env={"CLOCHE_WORKSPACE": "/proc/nowhere"})[1] == []


BASH = r"""
source <(cloche completion bash)
COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
# As readline divides a line.
mapfile -t COMP_WORDS < <(printf %s "$1" | grep -oE '[:=]+|[^ :=]+')
[[ $1 == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_cloche
printf '%s\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    "line, replies",
    [
        ("cloche env sh", ["show", "shell", "share"]),
        ("cloche env archive tr", ["train"]),
        ("cloche env archive train:", ["1"]),
        ("cloche env archive train:1", ["1"]),
        ("cloche env list --output=j", ["json"]),
        ("cloche env list --output=", ["json", "yaml", "table"]),
        ("cloche -C . env archive ", ["other", "train"]),
        ("cloche env create -f envi", ["environment.yml"]),
    ],
)
def test_bash_completes(cloche, line, replies):
    cloche.write("environment.yml", files.CONDA)
    cloche.run("env", "create", "-f", "environment.yml")
    cloche.run("env", "copy", "train", "other")
    done = subprocess.run(
        ["bash", "-c", BASH, "bash", line], cwd=cloche.folder, env=cloche.environment, capture_output=True, text=True
    )
    given = [one for one in done.stdout.split() if not one.startswith("Cloche-")]
    assert given == replies, done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_parse(cloche, shell):
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    script = cloche.run("completion", shell).out
    subprocess.run([program, "-n", "/dev/stdin"], input=script, text=True, check=True)


def test_little_memory_is_enough(cloche):
    cloche.write("environment.yml", files.CONDA)
    cloche.run("env", "create", "-f", "environment.yml", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28)))


def test_every_manual_example_of_a_help_page_names_a_command(cloche):
    for command in COMMANDS:
        page = cloche.run(*command.split(), "--help").out
        for line in re.findall(r"\$ .*?cloche (.*)", page.split("EXAMPLES")[1]):
            assert any(line.startswith(one) for one in COMMANDS), line
