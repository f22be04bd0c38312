"""Looking up, comparing and changing what is registered."""
import files
import pytest


@pytest.fixture
def train(cloche):
    """Three versions of `train`."""
    for pin in ["1.26", "2.0", "2.1"]:
        cloche.write("environment.yml", files.CONDA.replace("numpy=1.26", f"numpy={pin}"))
        cloche.run("env", "create", "-f", "environment.yml")
    return cloche


def listed(cloche, *words):
    return [one["name"] for one in cloche.json("env", "list", *words)["environments"] if one["kind"] != "curated"]


def test_every_form_of_a_reference(train):
    train.run("env", "label", "train:2", "production")
    for text, version in [
        ("train", "3"),
        ("train:1", "1"),
        ("train@production", "2"),
        ("train@latest", "3"),
        ("azureml:train:2", "2"),
        ("azureml:train@latest", "3"),
    ]:
        assert train.json("env", "show", text)["version"] == version
    error = train.error("env", "show", "trian", code=4)
    assert "train" in error["hint"]
    assert "3" in train.error("env", "show", "train:9", code=4)["hint"]
    assert train.error("env", "show", "train@nope", code=4)
    assert train.error("env", "show", "a:b:c:d", code=3)


def test_show_for_people(train):
    train.run("env", "update", "train:3", "--description", "spring\x1b[2J", "--tag", "a=b\u202ec")
    out = train.run("env", "show", "train").out
    assert "name         train\n" in out and "conda-forge" in out and "numpy=2.1" in out
    assert "mlflow-skinny==2.16.2" in out
    assert "\\x1b[2J" in out and "\x1b" not in out and "\u202e" not in out


def test_show_reads_files_where_no_environment_has_the_name(train):
    train.write("Dockerfile", "FROM python:3.12-slim\n")
    assert train.json("env", "show", "Dockerfile")["created_at"] is None
    train.run("env", "create", "--image", "python:3.11-slim", "--name", "Dockerfile")
    assert train.json("env", "show", "Dockerfile")["version"] == "1"
    assert train.json("env", "show", "./Dockerfile")["version"] is None
    assert train.json("env", "show", "file:Dockerfile")["version"] is None


def test_list_filters(train):
    train.run(*"env create --image python:3.12-slim --name other --tag team=vision --tag plain=".split())
    assert listed(train) == ["other", "train"]
    assert listed(train, "--tag", "team") == ["other"]
    assert listed(train, "--tag", "team=vision") == ["other"]
    assert listed(train, "--tag", "team=growth") == []
    train.run("env", "archive", "other")
    assert listed(train) == ["train"]
    assert listed(train, "--all") == ["other", "train"]
    assert listed(train, "--archived") == ["other"]
    out = train.run("env", "list").out
    assert out.splitlines()[0].split() == ["NAME", "VERSION", "KIND", "FINGERPRINT", "CREATED", "DESCRIPTION"]


def test_curated_environments_are_there_and_read_only(cloche):
    curated = [one for one in cloche.json("env", "list")["environments"] if one["kind"] == "curated"]
    assert curated
    name = curated[0]["name"]
    assert cloche.json("env", "show", name)["curated"] is True
    assert cloche.run("env", "update", name, "--tag", "a=b", code=None).code in (3, 6, 10)
    mine = cloche.json("env", "copy", name, "mine")
    assert mine["curated"] is False and mine["fingerprint"] == cloche.json("env", "show", name)["fingerprint"]


def test_archived_versions_are_found_by_exact_version_only(train):
    train.run("env", "archive", "train:3")
    assert train.json("env", "show", "train")["version"] == "2"
    assert train.json("env", "show", "train:3")["archived"] is True
    train.run("env", "restore", "train:3")
    assert train.json("env", "show", "train")["version"] == "3"
    assert train.run("env", "archive", "train").out == "archived train\n"
    assert train.json("env", "show", "train:1")["archived"] is True
    assert train.error("env", "archive", "nobody", code=4)


def test_labels_move_and_go(train):
    assert train.run("env", "label", "train:1", "prod").out == "train@prod is train:1\n"
    train.run("env", "label", "train", "prod")
    assert train.json("env", "show", "train@prod")["version"] == "3"
    assert "prod" in train.json("env", "show", "train:3")["labels"]
    train.run("env", "label", "train", "prod", "--remove")
    train.error("env", "show", "train@prod", code=4)
    assert train.run("env", "label", "train:1", "latest", code=None).code in (3, 5)


def test_update_changes_words_only(train):
    before = train.json("env", "show", "train:2")
    after = train.json(*"env update train:2 --description new --tag a=1 --tag b=2".split())
    assert after["definition"] == before["definition"] and after["fingerprint"] == before["fingerprint"]
    assert (after["description"], after["tags"]) == ("new", {"a": "1", "b": "2"})
    after = train.json("env", "update", "train:2", "--description=", "--remove-tag", "a")
    assert (after["description"], after["tags"]) == (None, {"b": "2"})
    assert train.error("env", "update", "train:2", code=2)["message"] == "nothing to update"


def test_history_tells_every_change(train):
    train.run("env", "update", "train:1", "--tag", "a=b")
    train.run("env", "label", "train:1", "prod")
    train.run("env", "archive", "train:1")
    train.run("env", "restore", "train:1")
    train.run("env", "copy", "train:1", "copy")
    events = train.json("env", "history", "train")["events"]
    actions = [one["action"] for one in events]
    assert actions[:3] == ["created"] * 3
    assert {"updated", "labelled", "archived", "restored"} <= set(actions)
    assert [one["id"] for one in events] == sorted(one["id"] for one in events)
    assert all(one["user"] and one["at"].endswith("Z") for one in events)
    assert all(one["version"] in ("1", None) for one in train.json("env", "history", "train:1")["events"])
    assert "copied" in [one["action"] for one in train.json("env", "history", "copy")["events"]]
    assert train.error("env", "history", "nobody", code=4)


def test_diff_by_package(train):
    data = train.json("env", "diff", "train:1", "train:3")
    assert {"section": "conda", "kind": "changed", "name": "numpy", "before": "numpy=1.26", "after": "numpy=2.1"} in data["changes"]
    assert "  ~ numpy: numpy=1.26 -> numpy=2.1\n" in train.run("env", "diff", "train:1", "train:3").out
    assert train.run("env", "diff", "train:1", "train:1").out == "no difference\n"
    assert train.run("env", "diff", "train:1", "train:3", "--exit-code", code=1).out
    train.run("env", "diff", "train", "./environment.yml", "--exit-code")
    train.write("other.yml", files.CONDA.replace("  - numpy=1.26\n", "").replace("pip=24.2", "pip=24.2\n  - scipy"))
    out = train.run("env", "diff", "train:1", "other.yml").out
    assert "  - numpy=1.26\n" in out and "  + scipy\n" in out


def test_explain_names_the_inputs(train):
    data = train.json("env", "explain", "train:1", "train:2")
    assert data["same_fingerprint"] is False and data["differences"]
    assert ("numpy=1.26", "numpy=2.0") in [(one["before"], one["after"]) for one in data["differences"]]
    assert "numpy=1.26 -> numpy=2.0" in train.run("env", "explain", "train:1", "train:2").out
    assert train.run("env", "explain", "train:1", "train:2", "--exit-code", code=1)
    same = train.json("env", "explain", "train", "environment.yml", "--exit-code")
    assert same["same_fingerprint"] is True and same["differences"] == []
    train.run("env", "create", "-f", "environment.yml", "--env", "A=1", "--name", "variables")
    assert "environment variables" in train.run("env", "explain", "train", "variables").out


def test_workspaces_are_found_upwards_or_named(train, tmp_path):
    made = train.json("workspace", "init", "project")
    assert made == {"directory": str(tmp_path / "project/.cloche"), "created": True}
    assert train.json("workspace", "init", "project")["created"] is False
    deep = tmp_path / "project/a/b"
    deep.mkdir(parents=True)
    assert train.json("workspace", "show", cwd=deep)["directory"] == str(tmp_path / "project/.cloche")
    assert train.json("workspace", "show", "--workspace", "project")["environment_count"] == 0
    train.run("-C", "project", "-C", "a", *"env create --image debian:12 --name inner".split())
    assert train.json("workspace", "show", "--workspace", tmp_path / "project/.cloche")["version_count"] == 1
    assert train.json("workspace", "show", env={"CLOCHE_WORKSPACE": "project/.cloche"})["version_count"] == 1
    assert train.json("workspace", "show")["version_count"] == 3
    assert train.error("-C", "nowhere", "env", "list", code=4)
