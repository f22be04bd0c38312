"""Export, save, load, share: what leaves a workspace comes back the same."""
import files
import pytest

KINDS = ["conda", "requirements", "azureml-v2", "azureml-v1", "dockerfile", "build-context"]
MAIN_FILE = {
    "conda": "environment.yml",
    "requirements": "requirements.txt",
    "azureml-v2": "environment.yml",
    "azureml-v1": ".",
    "dockerfile": ".",
}


def fingerprint(cloche, subject):
    return cloche.json("env", "show", subject)["fingerprint"]


@pytest.mark.parametrize(
    "kind, form",
    [
        ("conda", "azureml-v2"),
        ("conda", "azureml-v1"),
        ("requirements", "azureml-v2"),
        ("azureml-v2", "azureml-v2"),
        ("azureml-v1", "azureml-v1"),
        ("azureml-v1", "azureml-v2"),
        ("dockerfile", "azureml-v1"),
        ("build-context", "azureml-v2"),
        ("build-context", "dockerfile"),
    ],
)
def test_what_is_exported_has_the_same_fingerprint(cloche, kind, form):
    path = files.write_all(cloche)[kind]
    made = cloche.json("env", "create", "-f", path, "--name", "x")
    cloche.run("env", "export", f"x:{made['version']}", "--format", form, "-o", "out")
    again = cloche.json("env", "create", "-f", f"out/{MAIN_FILE[form]}", "--name", "again")
    assert again["fingerprint"] == made["fingerprint"], cloche.run("env", "explain", "x", "again").out


def test_a_conda_file_comes_back_with_the_same_packages(cloche):
    cloche.write("environment.yml", files.CONDA)
    cloche.run("env", "create", "-f", "environment.yml")
    text = cloche.run("env", "export", "train", "--format", "conda").out
    made = cloche.json("env", "create", "-f", "-", "--name", "again", input=text)
    assert made["fingerprint"] == fingerprint(cloche, "train")


def test_a_requirements_file_comes_back_with_the_same_lines(cloche):
    cloche.write("requirements.txt", files.REQUIREMENTS)
    made = cloche.json("env", "create", "-f", "requirements.txt", "--name", "x")
    text = cloche.run("env", "export", "x", "--format", "requirements").out
    assert cloche.json("env", "create", "-f", "-", "--name", "y", input=text)["fingerprint"] == made["fingerprint"]


def test_a_dockerfile_for_elsewhere_names_every_package(cloche):
    cloche.write("environment.yml", files.CONDA)
    cloche.run(*"env create -f environment.yml --image python:3.11-slim --apt git --name x".split())
    data = cloche.json("env", "export", "x", "--format", "dockerfile")
    everything = "".join(data["files"].values())
    for one in ["FROM python:3.11-slim", "numpy=1.26", "mlflow-skinny==2.16.2", "git"]:
        assert one in everything


def test_several_files_are_printed_below_their_names(cloche):
    cloche.write("environment.yml", files.CONDA)
    out = cloche.run("env", "export", "./environment.yml", "--format", "azureml-v2").out
    assert "==> environment.yml <==\n" in out


def test_files_that_are_there_are_not_replaced_without_being_asked(cloche):
    cloche.write("environment.yml", files.CONDA)
    cloche.run("env", "create", "-f", "environment.yml")
    words = ["env", "export", "train", "--format", "conda", "-o", "out"]
    cloche.run(*words)
    cloche.run(*words)  # the same content is no clash
    path = cloche.write("out/environment.yml", "mine\n")
    assert "--force" in cloche.error(*words, code=5)["hint"]
    assert path.read_text() == "mine\n"
    cloche.run(*words, "--force")
    assert "numpy=1.26" in path.read_text()


def test_losses_are_named_and_the_impossible_is_an_error(cloche):
    cloche.write("environment.yml", files.CONDA)
    cloche.run(*"env create -f environment.yml --apt git --name x".split())
    assert "Debian packages" in cloche.run("env", "export", "x", "--format", "conda").err
    files.write_all(cloche)
    cloche.run("env", "create", "-f", "context", "--name", "c")
    assert cloche.error("env", "export", "c", "--format", "conda", code=10)
    assert cloche.error("env", "export", "c", "--format", "docker", code=2)["hint"] == "did you mean dockerfile?"


@pytest.mark.parametrize("kind", KINDS)
def test_saved_versions_load_elsewhere(cloche, kind):
    path = files.write_all(cloche)[kind]
    made = cloche.json("env", "create", "-f", path, "--name", "x", "--version", "5", "--tag", "a=b")
    cloche.run("env", "save", "x:5", "x.cloche")
    loaded = cloche.json("env", "load", "x.cloche", "--workspace", "other")
    for key in ("name", "version", "fingerprint", "definition", "tags"):
        assert loaded[key] == made[key]
    assert cloche.json("env", "load", "x.cloche", "--workspace", "other")["created"] is False
    renamed = cloche.json("env", "load", "x.cloche", "--workspace", "other", "--name", "y")
    assert renamed["name"] == "y"
    if kind == "build-context":
        cloche.run(*"env export x --format dockerfile -o back --workspace other".split())
        assert (cloche.folder / "back/src/main.py").read_text() == "print(1)\n"
        assert not (cloche.folder / "back/README.md").exists()


def test_a_damaged_file_is_not_loaded(cloche):
    files.write_all(cloche)
    cloche.run("env", "create", "-f", "context", "--name", "x")
    cloche.run("env", "save", "x", "x.cloche")
    data = bytearray((cloche.folder / "x.cloche").read_bytes())
    at = data.find(b"print(1)")
    data[at] ^= 1
    cloche.write("bad.cloche", bytes(data))
    assert cloche.run("env", "load", "bad.cloche", "--workspace", "other", code=None).code in (3, 9)
    assert cloche.run("env", "load", "environment.yml", "--workspace", "other", code=None).code in (3, 9)
    assert cloche.error("env", "load", "nowhere", "--workspace", "other", code=4)


def test_registries_are_shared_between_workspaces(cloche, tmp_path):
    files.write_all(cloche)
    cloche.run("env", "create", "-f", "context", "--name", "serve")
    cloche.run("registry", "create", "team", tmp_path / "shared")
    assert cloche.json("registry", "list")["registries"] == [{"name": "team", "location": str(tmp_path / "shared")}]
    shared = cloche.json("env", "share", "serve", "--to", "team")
    assert shared["created"] is True and shared["registry"] == "team"
    assert cloche.json("env", "share", "serve", "--to", "team")["created"] is False
    other = ["--workspace", "other"]
    cloche.run("registry", "create", "team", tmp_path / "shared", *other)
    there = "azureml://registries/team/environments/serve"
    assert cloche.json("env", "show", f"{there}/versions/1", *other)["fingerprint"] == shared["fingerprint"]
    assert cloche.json("env", "show", f"{there}/labels/latest", *other)["version"] == "1"
    copied = cloche.json("env", "copy", f"{there}/versions/1", "mine", *other)
    assert copied["fingerprint"] == shared["fingerprint"]
    cloche.run("env", "export", "mine", "--format", "dockerfile", "-o", "out", *other)
    assert (cloche.folder / "out/src/main.py").exists()
    assert cloche.error("env", "share", "serve", "--to", "taem", code=4)["hint"]
    assert cloche.error("registry", "create", "team", tmp_path / "elsewhere", code=5)


def test_copies_keep_the_definition(cloche):
    cloche.write("environment.yml", files.CONDA)
    made = cloche.json("env", "create", "-f", "environment.yml")
    copied = cloche.json("env", "copy", "train:1", "next", "--version", "2024.1")
    assert (copied["name"], copied["version"]) == ("next", "2024.1")
    assert copied["fingerprint"] == made["fingerprint"]
    assert cloche.error("env", "copy", "train:1", "a b", code=3)
