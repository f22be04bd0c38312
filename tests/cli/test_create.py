"""cloche env create: every format, every option, the errors people make."""
import re

import files
import pytest

FINGERPRINT = re.compile(r"^[0-9a-f]{32}$")


@pytest.mark.parametrize(
    "kind", ["conda", "requirements", "azureml-v2", "azureml-v1", "dockerfile", "build-context"]
)
def test_every_format_registers_and_is_found_again(cloche, kind):
    path = files.write_all(cloche)[kind]
    made = cloche.json("env", "create", "-f", path, "--name", "x")
    assert made["name"] == "x" and made["created"] is True
    assert made["version"] == ("1.10" if kind == "azureml-v2" else "1")
    assert FINGERPRINT.match(made["fingerprint"])
    assert made["image_name"] == "cloche/cloche_" + made["fingerprint"]
    shown = cloche.json("env", "show", f"x:{made['version']}")
    assert shown["definition"] == made["definition"]
    again = cloche.json("env", "create", "-f", path, "--name", "x")
    assert (again["created"], again["version"]) == (False, made["version"])
    # The file itself has the same fingerprint, unregistered.
    assert cloche.json("env", "show", "./" + path)["fingerprint"] == made["fingerprint"]


def test_prints_what_was_registered_and_warns_on_standard_error(cloche):
    cloche.write("environment.yml", "name: loose\ndependencies: [python, numpy]\n")
    answer = cloche.run("env", "create", "-f", "environment.yml")
    lines = answer.out.splitlines()
    assert lines[0] == "registered   loose:1"
    assert lines[1].startswith("fingerprint  ") and lines[2].startswith("image        cloche/cloche_")
    assert "environment.yml:2:" in answer.err and "warning:" in answer.err


def test_warnings_are_json_lines_for_programs(cloche):
    import json

    cloche.write("environment.yml", "name: loose\ndependencies: [python, numpy]\n")
    answer = cloche.run("env", "create", "-f", "environment.yml", "--output", "json")
    said = [json.loads(line) for line in answer.err.splitlines()]
    assert said and all(one["severity"] in ("note", "warning") for one in said)
    assert "unpinned-package" in {one["rule"] for one in said}


def test_standard_input_of_any_format(cloche):
    by_file = cloche.write("environment.yml", files.CONDA)
    one = cloche.json("env", "create", "-f", by_file)
    two = cloche.json("env", "create", "-f", "-", "--name", "piped", input=files.CONDA)
    assert one["fingerprint"] == two["fingerprint"]
    cloche.json("env", "create", "-f", "-", "--name", "r", input=files.REQUIREMENTS)
    cloche.json("env", "create", "-f", "-", "--name", "d", input="FROM python:3.12-slim\nRUN true\n")
    error = cloche.error("env", "create", "-f", "-", "--name", "x", input="name: [\n", code=3)
    assert error["file"] == "<stdin>"
    assert cloche.error("env", "create", "-f", "-", "--name", "x", input="", code=3)


def test_parts_given_one_by_one(cloche):
    cloche.write("requirements.txt", files.REQUIREMENTS)
    cloche.write("environment.yml", files.CONDA)
    cloche.write("packages.txt", "git\ncurl\n")
    made = cloche.json(
        *"env create --image python:3.12-slim --conda-file environment.yml --pip requirements.txt".split(),
        *"--apt jq --apt git=1:2.39.5-0+deb12u1 --name parts --version 7 --tag a=b --tag c=".split(),
        *["--env", "OMP=4", "--description", "[WIP] two words"],
    )
    definition = made["definition"]
    assert made["version"] == "7"
    assert made["tags"] == {"a": "b", "c": ""}
    assert made["description"] == "[WIP] two words"
    assert definition["base"]["image"] == "python:3.12-slim"
    assert [line["text"] for line in definition["apt"]["packages"]] == ["jq", "git=1:2.39.5-0+deb12u1"]
    assert definition["environment_variables"]["OMP"] == "4"
    texts = [line["text"] for line in definition["pip"]["lines"]]
    assert texts[0] == "mlflow-skinny==2.16.2" and "numpy==1.26.4" in texts
    from_file = cloche.json("env", "create", "--image", "debian:12", "--apt", "packages.txt", "--name", "apt")
    assert [line["text"] for line in from_file["definition"]["apt"]["packages"]] == ["git", "curl"]


def test_a_build_context_by_its_parts(cloche):
    files.write_all(cloche)
    cloche.write("context/docker/Dockerfile.gpu", files.DOCKERFILE)
    made = cloche.json(
        *"env create --build-context context --dockerfile-path docker/Dockerfile.gpu --name gpu".split()
    )
    assert made["definition"]["base"]["context"]["dockerfile_path"] == "docker/Dockerfile.gpu"
    assert made["kind"] == "user-managed"


def test_options_win_over_the_file(cloche):
    path = files.write_all(cloche)["azureml-v2"]
    made = cloche.json(
        *f"env create -f {path} --name other --version 2.0 --description new --tag team=ops --tag x=y".split()
    )
    assert (made["name"], made["version"], made["description"]) == ("other", "2.0", "new")
    assert made["tags"] == {"team": "ops", "x": "y"}


def test_version_numbers_count_up_and_the_latest_is_given_back(cloche):
    for number, pin in enumerate(["1.26", "2.0", "2.1"], 1):
        cloche.write("environment.yml", files.CONDA.replace("numpy=1.26", f"numpy={pin}"))
        assert cloche.json("env", "create", "-f", "environment.yml")["version"] == str(number)
    assert cloche.json("env", "create", "-f", "environment.yml")["created"] is False
    assert cloche.json("env", "show", "train")["version"] == "3"


def test_another_definition_under_the_same_version_is_refused_with_the_difference(cloche):
    cloche.write("environment.yml", files.CONDA)
    cloche.run("env", "create", "-f", "environment.yml", "--version", "1")
    cloche.write("environment.yml", files.CONDA.replace("numpy=1.26", "numpy=2.0"))
    error = cloche.error("env", "create", "-f", "environment.yml", "--version", "1", code=5)
    assert "numpy" in error["message"] + "".join(error["context"]) and "version" in error["hint"]
    assert cloche.json("env", "show", "train:1")["definition"]["conda"]["dependencies"][1]["text"] == "numpy=1.26"


def test_anonymous_environments_are_found_by_version_and_not_listed(cloche):
    made = cloche.json("env", "create", "--image", "python:3.12-slim", "--anonymous")
    assert made["kind"] == "anonymous" and made["name"] == "CliV2AnonymousEnvironment"
    shown = cloche.json("env", "show", f"{made['name']}:{made['version']}")
    assert shown["fingerprint"] == made["fingerprint"]
    assert made["name"] not in [one["name"] for one in cloche.json("env", "list")["environments"]]
    again = cloche.json("env", "create", "--image", "python:3.12-slim", "--anonymous")
    assert (again["version"], again["created"]) == (made["version"], False)


def test_from_an_existing_one(cloche):
    cloche.write("environment.yml", files.CONDA)
    first = cloche.json("env", "create", "-f", "environment.yml")
    made = cloche.json(*"env create --from train:1 --name train-next --tag a=b --description d".split())
    assert made["fingerprint"] == first["fingerprint"]
    assert (made["name"], made["tags"], made["description"]) == ("train-next", {"a": "b"}, "d")
    assert cloche.error("env", "create", "--from", "train:1", code=2)["message"] == "--from needs --name NAME for the new environment"
    assert cloche.error(*"env create --from train:1 --name x --image y".split(), code=2)
    assert cloche.error(*"env create --from trian:1 --name x".split(), code=4)["hint"]


@pytest.mark.parametrize(
    "words, code, says",
    [
        ("env create", 2, "nothing says what the environment is"),
        ("env create -f missing.yml", 4, "missing.yml"),
        ("env create --image python:3.12", 2, "no name"),
        ("env create --image python:3.12 --name a.b", 3, "name"),
        ("env create --image python:3.12 --name AzureML-x", 3, "AzureML-"),
        ("env create --image Python --name x", 3, "lower case"),
        ("env create --image python:3.12 --build-context . --name x", 3, ""),
        ("env create --image python:3.12 --anonymous --name x", 2, "--anonymous"),
        ("env create --image python:3.12 --name x --tag novalue", 2, "KEY=VALUE"),
        ("env create --image python:3.12 --name x --version a/b", 3, "version"),
        ("env create --build-context nowhere --name x", 4, "nowhere"),
        ("env create --image python:3.12 --pip nowhere.txt --name x", 4, "nowhere.txt"),
        ("env create --image python:3.12 --apt git==1 --name x", 3, "git"),
    ],
)
def test_mistakes_are_named(cloche, words, code, says):
    error = cloche.error(*words.split(), code=code)
    assert says in error["message"] + (error["hint"] or ""), error


@pytest.mark.parametrize(
    "name, text, line, says",
    [
        ("environment.yml", "name: x\ndependancies:\n  - python\n", 2, "dependencies"),
        ("environment.yml", "name: x\ndependencies:\n  - numpy=>1\n", 3, "numpy"),
        ("environment.yml", "name: x\n\tdependencies: []\n", 2, ""),
        ("requirements.txt", "numpy=1.26\n", 1, "=="),
        ("requirements.txt", "numpy==1.26\n--no-such-option x\n", 2, "no-such-option"),
        ("Dockerfile", "FROM python:3.12\nRUNN true\n", 2, "RUN"),
        ("Dockerfile", "RUN true\n", 1, "FROM"),
    ],
)
def test_a_broken_file_is_diagnosed_at_its_line(cloche, name, text, line, says):
    cloche.write(name, text)
    answer = cloche.run("env", "create", "-f", name, "--name", "x", "--output", "json", code=None)
    import json

    records = [json.loads(one) for one in answer.err.splitlines()]
    there = [one for one in records if one["line"] == line]
    assert there, records
    assert any(says in one["message"] + (one["hint"] or "") for one in there), there


def test_hostile_bytes_are_refused_quickly_and_shown_harmlessly(cloche):
    import os
    import time

    cloche.write("environment.yml", os.urandom(1_000_000))
    start = time.time()
    answer = cloche.run("env", "create", "-f", "environment.yml", "--name", "x", code=3)
    assert time.time() - start < 1
    assert "\x1b" not in answer.err
    cloche.write("evil\x1b[2J.yml", "name: x\n\x1b[2J: 1\n")
    answer = cloche.run("env", "create", "-f", "evil\x1b[2J.yml", code=None)
    assert answer.code != 0 and "\x1b" not in answer.err + answer.out
