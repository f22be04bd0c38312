"""Images of the workspace: looked at, compared, put onto another base."""
import gzip
import hashlib
import io
import json
import pathlib
import re
import tarfile

import channel as channels
import pytest
import test_frame


class Bases:
    """Base images written by hand into the workspace's layout."""

    def __init__(self, folder):
        self.folder = folder

    def put(self, data):
        digest = hashlib.sha256(data).hexdigest()
        blobs = self.folder / "blobs/sha256"
        blobs.mkdir(parents=True, exist_ok=True)
        (blobs / digest).write_bytes(data)
        return {"digest": f"sha256:{digest}", "size": len(data)}

    def add(self, name, files, config=None, layers=1, architecture="amd64", compressed=True):
        """An image with `files` (path -> text) in its lowest layer; the other layers have a file each."""
        contents = [files] + [{f"srv/{name.replace(':', '-')}-{i}": "x"} for i in range(1, layers)]
        tars = [archive(one) for one in contents]
        kind = "application/vnd.oci.image.layer.v1.tar"
        blobs = [
            {"mediaType": kind + "+gzip", **self.put(gzip.compress(one, mtime=0))} if compressed else {"mediaType": kind, **self.put(one)}
            for one in tars
        ]
        document = {
            "architecture": architecture,
            "os": "linux",
            "config": config or {},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(one).hexdigest() for one in tars]},
        }
        described = {"mediaType": "application/vnd.oci.image.config.v1+json", **self.put(json.dumps(document).encode())}
        manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": described, "layers": blobs}
        entry = {"mediaType": manifest["mediaType"], **self.put(json.dumps(manifest).encode())}
        index = self.folder / "index.json"
        (self.folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        known = json.loads(index.read_text()) if index.exists() else {"schemaVersion": 2, "manifests": []}
        known["manifests"].append({**entry, "annotations": {"org.opencontainers.image.ref.name": name}})
        index.write_text(json.dumps(known))
        return entry["digest"]


def archive(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, text in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return out.getvalue()


def glibc(version):
    banner = f"GNU C Library (Debian GLIBC {version}-9) stable release version {version}.\n"
    return {"usr/lib/x86_64-linux-gnu/libc.so.6": "\0" * 1000 + banner + "\0" * 1000}


@pytest.fixture
def channel(cloche):
    made = channels.Channel(cloche.folder / "channel")
    made.add("one", "1.0", [], {"bin/one": "#!/bin/sh\necho one\n", "share/one": "x" * 5000})
    made.add("two", "1.0", ["one", "__glibc >=2.28,<3.0.a0"], {"share/two": "two\n"})
    made.add("three", "1.0", ["two"], {"share/three": "three\n"})
    return made


@pytest.fixture
def bases(cloche):
    made = Bases(pathlib.Path(cloche.json("workspace", "init")["directory"]))
    made.add("old:1", glibc("2.36"), {"Env": ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"], "Labels": {"from": "old"}})
    made.add("new:1", glibc("2.41"), {"Env": ["LC_ALL=C"], "Entrypoint": ["/entry"]}, layers=3, compressed=False)
    made.add("ancient:1", glibc("2.17"))
    made.add("alpine:3", {"lib/ld-musl-x86_64.so.1": "musl"})
    made.add("arm:1", glibc("2.41"), architecture="arm64")
    made.add("empty:1", {"etc/motd": "hello"})
    return made


def write(cloche, channel, *dependencies, name="environment.yml", image="old:1", more=""):
    specs = "".join(f"    - {one}\n" for one in dependencies)
    text = f"name: train\nimage: {image}\nconda_file:\n  channels: [{channel.url}]\n  dependencies:\n{specs}{more}"
    return cloche.write(name, text)


@pytest.fixture
def built(cloche, channel, bases):
    """train:1, three packages on old:1."""
    write(cloche, channel, "three", more="environment_variables:\n  MODE: train\n  LANG: C\n")
    cloche.run("env", "create", "-f", "environment.yml")
    return cloche.json("env", "build", "train")


def test_a_list_says_which_environment_an_image_is_of(cloche, bases, built):
    images = {one["name"]: one for one in cloche.json("image", "list")["images"]}
    assert set(images) >= {"old:1", "new:1", "train:1", built["image"]}
    for name in ["train:1", built["image"]]:
        assert images[name]["digest"] == built["digest"]
        assert images[name]["environment"] == "train:1"
        assert images[name]["base"]["reference"] == "old:1"
    assert images["old:1"]["environment"] is None and images["old:1"]["base"] is None
    assert images["arm:1"]["platform"] == "linux/arm64"
    assert "train:1" in cloche.run("image", "list").out


def test_without_a_workspace_there_are_none(cloche):
    assert cloche.json("image", "list") == {"images": []}
    assert "no images" in cloche.run("image", "list").out
    assert not list(cloche.home.rglob("index.json"))


def test_show_tells_settings_labels_and_layers(cloche, built):
    image = cloche.json("image", "show", "train:1")
    assert image["digest"] == built["digest"]
    assert image["env"][:2] == ["PATH=/opt/cloche/env/bin:/usr/bin:/bin", "LANG=C"]
    assert image["labels"]["from"] == "old"
    assert image["needs"] == ["__glibc >=2.28,<3.0.a0"]
    assert [one["base"] for one in image["layers"]] == [True, False, False, False, False]
    assert sorted(sum((one["packages"] for one in image["layers"]), [])) == ["one 1.0", "three 1.0", "two 1.0"]
    assert cloche.json("image", "show", built["digest"])["env"] == image["env"]
    assert "three 1.0" in cloche.run("image", "show", "train:1").out
    assert "three 1.0" in cloche.run("image", "tree", "train:1").out
    assert cloche.json("image", "tree", "train:1")["layers"] == image["layers"]


def test_a_difference_is_what_would_be_sent(cloche, channel, built):
    channel.add("two", "2.0", ["one"], {"share/two": "two 2\n"})
    write(cloche, channel, "three", "two=2.0", more="environment_variables:\n  MODE: train\n  LANG: C\n")
    cloche.run("env", "create", "-f", "environment.yml")
    cloche.run("env", "build", "train:2", "--refresh")
    difference = cloche.json("image", "diff", "train:1", "train:2")
    assert difference["packages"] == [{"kind": "changed", "name": "two", "before": "1.0", "after": "2.0"}]
    layers = [(one["kind"], one["packages"]) for one in difference["layers"]]
    assert sorted(layers) == [("added", []), ("added", ["two 2.0"]), ("removed", []), ("removed", ["two 1.0"])]
    assert difference["same_layers"] == 3
    sent = difference["bytes_to_send"]
    assert max(one["size"] for one in difference["layers"]) < sent < difference["after"]["size"]
    assert "two 1.0 -> 2.0" in cloche.run("image", "diff", "train:1", "train:2", "--exit-code", code=1).out
    same = cloche.json("image", "diff", "train:1", built["digest"], "--exit-code")
    assert (same["layers"], same["packages"], same["bytes_to_send"]) == ([], [], 0)


@pytest.mark.parametrize("base", ["new:1", "scratch", "empty:1"])
def test_rebased_is_as_built_there(cloche, channel, built, base):
    rebased = cloche.json("image", "rebase", "train:1", "--onto", base, "--name", "moved")
    write(cloche, channel, "three", image=base, name="there.yml", more="environment_variables:\n  MODE: train\n  LANG: C\n")
    there = cloche.json("env", "build", "there.yml")
    assert rebased["digest"] == there["digest"] != built["digest"]
    back = cloche.json("image", "rebase", "moved", "--onto", "old:1")
    assert back["digest"] == built["digest"]
    assert back["name"] == "moved-old-1"
    assert cloche.json("image", "show", "moved")["base"] == (
        None if base == "scratch" else {"reference": base, "digest": rebased["onto_digest"]}
    )


@pytest.mark.parametrize(
    "base, code, said",
    [
        ("ancient:1", 5, "glibc 2.17"),
        ("alpine:3", 5, "musl"),
        ("arm:1", 3, "linux/arm64"),
        ("missing:1", 4, "missing:1"),
    ],
)
def test_a_base_that_does_not_fit_is_refused(cloche, built, base, code, said):
    before = cloche.json("image", "list")
    error = cloche.error("image", "rebase", "train:1", "--onto", base, "--name", "moved", code=code)
    assert said in error["message"]
    assert cloche.json("image", "list") == before


def test_only_environments_can_be_put_elsewhere(cloche, built):
    assert "no environment" in cloche.error("image", "rebase", "old:1", "--onto", "new:1", code=3)["message"]
    cloche.error("image", "rebase", "train:1", code=2)


def test_the_base_says_which_glibc_there_is(cloche, channel, bases):
    def glibc_of(image, *words, **options):
        write(cloche, channel, "one", image=image, name=f"{image.replace(':', '-')}.yml")
        lock = cloche.json("env", "lock", f"{image.replace(':', '-')}.yml", *words, **options)["lock"]
        return {one["name"]: one["version"] for one in lock["virtual_packages"]}.get("__glibc")

    assert glibc_of("old:1") == "2.36"
    assert glibc_of("new:1") == "2.41"
    assert glibc_of("alpine:3") is None
    assert glibc_of("empty:1") == "2.35"
    assert glibc_of("old:1", "--virtual-package", "__glibc=2.31") == "2.31"
    assert glibc_of("new:1", env={"CONDA_OVERRIDE_GLIBC": "2.30"}) == "2.30"
    write(cloche, channel, "two", image="ancient:1")
    assert "__glibc" in str(cloche.error("env", "build", "environment.yml", code=5))


def test_a_lock_from_before_the_base_came_stays_where_it_fits(cloche, channel):
    write(cloche, channel, "two", image="late:1")
    first = cloche.json("env", "lock", "environment.yml")["lock"]
    bases = Bases(pathlib.Path(cloche.json("workspace", "show")["directory"]))
    bases.add("late:1", glibc("2.36"))
    again = cloche.json("env", "lock", "environment.yml")
    assert (again["state"], again["lock"]["digest"]) == ("kept", first["digest"])
    write(cloche, channel, "two", image="low:1")
    cloche.run("env", "lock", "environment.yml")
    bases.add("low:1", glibc("2.17"))
    cloche.error("env", "build", "environment.yml", code=5)


def test_records_are_as_documented(cloche, built):
    cloche.run("image", "rebase", "train:1", "--onto", "new:1", "--name", "moved")
    outputs = {
        "image list": ["image", "list"],
        "image show": ["image", "show", "train:1"],
        "image diff": ["image", "diff", "train:1", "moved"],
        "image rebase": ["image", "rebase", "train:1", "--onto", "new:1"],
        "image delete": ["image", "delete", "train:1-new-1"],
    }
    text = test_frame.MANUAL.read_text()
    shapes = {name: json.loads(body) for name, body in re.findall(r"<!-- image shape: (.+?) -->\n```json\n(.*?)```", text, re.S)}
    shapes["image diff"]["packages"] = []
    shapes["image diff"]["layers"][0].update(packages=[], package_sizes=[])
    shapes["image list"]["images"][0]["base"] = None
    assert set(outputs) == set(shapes)
    for name, words in outputs.items():
        problem = test_frame.shape_problem(shapes[name], cloche.json(*words))
        assert not problem, f"{name}: {problem}"


def test_delete_takes_the_name(cloche, built):
    assert cloche.json("image", "delete", "train:1")["digest"] == built["digest"]
    assert "train:1" not in [one["name"] for one in cloche.json("image", "list")["images"]]
    assert cloche.json("image", "show", built["image"])["digest"] == built["digest"]
    assert cloche.error("image", "delete", "train:1", code=4)["kind"] == "not-found"


@pytest.mark.parametrize("form", ["oci", "docker"])
def test_an_archives_own_name_takes_no_other_images_place(cloche, bases, form):
    """CVE-2026-50195: who makes an archive would choose what the next environment stands on."""
    cloche.run("image", "export", "new:1", "new.tar")
    cloche.run("image", "import", "new.tar", "taken:1")
    cloche.run("image", "export", "taken:1", "evil.tar", "--format", form)
    cloche.run("image", "export", "old:1", "old.tar")
    cloche.run("image", "import", "old.tar", "taken:1")  # a person may
    before = cloche.json("image", "list")
    error = cloche.error("image", "import", "evil.tar", code=5)
    assert "evil.tar" in error["message"] and "taken:1" in error["message"]
    assert cloche.json("image", "list") == before
    cloche.run("image", "delete", "taken:1")
    for _ in range(2):
        assert [one["name"] for one in cloche.json("image", "import", "evil.tar")["images"]] == ["taken:1"]
