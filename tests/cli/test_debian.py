"""apt's packages in a lock: solved against the base image's dpkg status and a Debian archive."""
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import threading

import debian
import pytest
import test_image


@pytest.fixture
def archive(cloche):
    made = debian.Archive(cloche.folder / "mirror")
    made.add("git", "1:2.39-1", "Source: git (1:2.39)", "Depends: libc6 (>= 2.30), perl | perl5,", " libexpat1")
    made.add("perl", "5.36", "Depends: libc6", "Conflicts: old-perl")
    made.add("libexpat1", "2.5.0-1", "Pre-Depends: libc6")
    made.add("libc6", "2.36")
    made.sources(cloche.folder / "our.sources")
    return made


@pytest.fixture
def bases(cloche):
    made = test_image.Bases(pathlib.Path(cloche.json("workspace", "init")["directory"]))
    made.add("slim:1", debian.base(debian.paragraph("libc6", "2.31", "Essential: yes")))
    made.add("full:1", debian.base(debian.paragraph("libc6", "2.36"), debian.paragraph("perl", "5.30")))
    made.add("old:1", debian.base(debian.paragraph("libc6", "2.36"), debian.paragraph("old-perl", "4")))
    made.add("plain:1", {"etc/motd": "hello"})
    made.add("nameless:1", {"var/lib/dpkg/status": "Package: a\nVersion: 1\nArchitecture: all\n"})
    return made


def write(cloche, *packages, image="slim:1"):
    lines = "".join(f"  - {one}\n" for one in packages)
    return cloche.write("environment.yml", f"name: tools\nimage: {image}\napt:\n{lines}")


def lock(cloche, *words, **options):
    return cloche.json("env", "lock", "environment.yml", "--apt-sources", "our.sources", *words, **options)


def locked(answer):
    return {one["name"]: one["version"] for one in answer["lock"]["packages"] if one["ecosystem"] == "debian"}


def test_what_the_base_lacks_is_locked(cloche, archive, bases):
    write(cloche, "git")
    answer = lock(cloche)
    assert answer["state"] == "locked"
    assert locked(answer) == {"git": "1:2.39-1", "libexpat1": "2.5.0-1", "perl": "5.36"}
    git = answer["lock"]["packages"][0]
    assert git["url"] == f"file://{archive.folder}/pool/main/git_1%3a2.39-1_amd64.deb"
    assert git["requested"] == ["git"] and git["subdir"] == "amd64"
    assert answer["lock"]["packages"][1]["needed_by"] == ["git"]
    assert answer["lock"]["unlocked"]["apt"] == []
    assert answer["lock"]["base_image"]["digest"].startswith("sha256:")
    assert lock(cloche)["state"] == "kept"


def test_what_the_base_has_stays(cloche, archive, bases):
    write(cloche, "git", image="full:1")
    assert locked(lock(cloche)) == {"git": "1:2.39-1", "libexpat1": "2.5.0-1"}


def test_what_stands_in_the_way_goes(cloche, archive, bases):
    write(cloche, "perl", image="old:1")
    lock(cloche)
    text = cloche.run("env", "lock", "environment.yml", "--format", "cloche").out
    assert "removes:\n    - old-perl\n" in text
    assert "suite: bookworm" in text and "codename: bookworm" in text


def test_upgrades_are_asked_for(cloche, archive, bases):
    write(cloche, "git")
    lock(cloche)
    archive.add("git", "1:2.40-1", "Depends: libc6, perl")
    archive.add("perl", "5.38")
    assert lock(cloche)["state"] == "kept"
    answer = lock(cloche, "--upgrade", "git")
    assert answer["state"] == "upgraded"
    assert [(one["kind"], one["ecosystem"], one["name"]) for one in answer["changes"]["changes"]] == [
        ("upgraded", "debian", "git"),
        ("removed", "debian", "libexpat1"),
    ]
    assert locked(answer) == {"git": "1:2.40-1", "perl": "5.36"}
    assert locked(lock(cloche, "--update-all"))["perl"] == "5.38"
    error = cloche.error("env", "lock", "environment.yml", "--upgrade", "gti", "--apt-sources", "our.sources", code=4)
    assert "no package 'gti' to upgrade" in error["message"]


def test_pins_and_conflicts_are_told_with_lines(cloche, archive, bases):
    archive.add("git", "1:2.40-1", "Depends: libexpat1")
    archive.add("git-lfs", "3", "Depends: git (>= 1:2.40)")
    archive.add("broken", "1", "Depends: libexpat1 (>= 3)")
    write(cloche, "git=1:2.39*")
    assert locked(lock(cloche))["git"] == "1:2.39-1"
    write(cloche, "git=1:2.39-1", "git-lfs")
    answer = cloche.run("env", "lock", "environment.yml", "--apt-sources", "our.sources", code=5)
    assert "environment.yml:4:5: git=1:2.39-1 and git-lfs cannot be had together" in answer.err
    assert "environment.yml:5:5: git-lfs" in answer.err
    write(cloche, "broken")
    answer = cloche.run("env", "lock", "environment.yml", "--apt-sources", "our.sources", code=5)
    assert "libexpat1 (>= 3)" in answer.err and "libexpat1 2.5.0-1" in answer.err


def test_unknown_packages_have_a_hint(cloche, archive, bases):
    write(cloche, "perll")
    error = cloche.error("env", "lock", "environment.yml", "--apt-sources", "our.sources", code=4)
    assert error["message"] == "there is no package 'perll'" and error["hint"] == "did you mean perl?"
    assert error["line"] == 4
    write(cloche, "perl=9")
    error = cloche.error("env", "lock", "environment.yml", "--apt-sources", "our.sources", code=4)
    assert "there is no perl 9" in error["message"] and "5.36" in error["hint"]


@pytest.mark.parametrize(
    "image, code, said",
    [("plain:1", 8, "has no dpkg"), ("nameless:1", 8, "does not say which release"), ("scratch", 8, "no Debian packages")],
)
def test_a_base_must_be_a_debian(cloche, archive, bases, image, code, said):
    write(cloche, "git", image=image)
    answer = cloche.run("env", "lock", "environment.yml", "--apt-sources", "our.sources", code=None)
    assert answer.code != 0 and said in answer.err


def test_a_base_must_be_known(cloche, archive, bases):
    write(cloche, "git", image="127.0.0.1:9/none:1")
    answer = cloche.run("env", "lock", "environment.yml", "--offline", "--apt-sources", "our.sources", code=4)
    assert "the workspace does not have the base image" in answer.err
    assert "locked against what the base image has installed" in answer.err


def test_bills_name_debian_packages(cloche, archive, bases):
    write(cloche, "git")
    lock(cloche)
    bill = json.loads(cloche.run("env", "lock", "environment.yml", "--format", "cyclonedx").out)
    purls = [one.get("purl", "") for one in bill["components"]]
    assert "pkg:deb/debian/git@1:2.39-1?arch=amd64&distro=bookworm" in purls
    spdx = cloche.run("env", "lock", "environment.yml", "--format", "spdx").out
    assert "pkg:deb/debian/libexpat1@2.5.0-1?arch=amd64&distro=bookworm" in spdx


def test_a_damaged_index_stops(cloche, archive, bases):
    write(cloche, "git")
    index = archive.folder / "dists/bookworm/main/binary-amd64/Packages"
    index.write_text(index.read_text().replace("git", "gut"))
    answer = cloche.run("env", "lock", "environment.yml", "--apt-sources", "our.sources", code=None)
    assert answer.code != 0 and "is not what its Release says: its sha256 is" in answer.err


def test_a_directory_of_the_host_gets_none_of_them(cloche, archive, bases):
    write(cloche, "git", image="127.0.0.1:9/none:1")
    answer = cloche.run("env", "install", "environment.yml", "prefix", code=None)
    assert "locked against" not in answer.err


def real_deb(archive, name, version):
    """A .deb that can be unpacked, in the archive and its index; its path."""
    root = archive.folder / f"{name}-root"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "usr/share" / name).mkdir(parents=True)
    (root / "usr/share" / name / "data").write_bytes(os.urandom(20000))
    (root / "DEBIAN/control").write_text(f"Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: x\nDescription: x\n")
    return archive.add_file(name, version, "", lambda path: subprocess.run(
        ["dpkg-deb", "--build", "--root-owner-group", "-Znone", str(root), str(path)], check=True, capture_output=True))


needs_dpkg_deb = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="no dpkg-deb")


@needs_dpkg_deb
def test_a_tampered_or_truncated_deb_is_no_package(cloche, archive, bases):
    path = real_deb(archive, "tool", "1")
    write(cloche, "tool")
    lock(cloche)
    whole = path.read_bytes()
    for damaged in (whole.replace(b"Description: x", b"Description: y"), whole[:-4000]):
        path.write_bytes(damaged)
        answer = cloche.run("env", "build", "environment.yml", "--apt-sources", "our.sources", code=9)
        assert "tool_1_amd64.deb" in answer.err and ("sha256" in answer.err or "bytes" in answer.err)


def test_a_package_that_only_the_index_has(cloche, archive, bases):
    write(cloche, "perl", image="full:1")
    archive.add("perl", "6")
    (archive.folder / "pool/main/perl_6_amd64.deb").unlink()
    lock(cloche, "--update-all")
    answer = cloche.run("env", "build", "environment.yml", "--apt-sources", "our.sources", code=4)
    assert "perl_6_amd64.deb" in answer.err


def test_a_mirror_that_stalls_is_given_up(cloche, archive, bases):
    """It takes the question and sends half of its answer."""
    release = threading.Event()

    class Stalling(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b"Origin: Test\n")
            self.wfile.flush()
            release.wait(60)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stalling)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/debian"
    cloche.write("our.sources", f"Types: deb\nURIs: {url}\nSuites: bookworm\nComponents: main\nTrusted: yes\n")
    cloche.write("home/.condarc", "remote_max_retries: 0\nremote_read_timeout_secs: 1\n")
    write(cloche, "git")
    try:
        answer = cloche.run("env", "lock", "environment.yml", "--apt-sources", "our.sources", code=7)
        assert url in answer.err
    finally:
        release.set()
        server.shutdown()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")
def test_a_full_disk_leaves_nothing_half_made(cloche, archive, bases):
    small = cloche.folder / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True).returncode != 0:
        pytest.skip("no file systems may be mounted here")
    try:
        for number in range(300):
            archive.paragraphs.append(f"Package: p{number}\nVersion: 1\nArchitecture: all\nDepends: {'libc6, ' * 60}perl\n")
        archive.publish()
        write(cloche, "git")
        words = ["env", "lock", "environment.yml", "--apt-sources", "our.sources"]
        answer = cloche.run(*words, env={"CLOCHE_CACHE": str(small)}, code=7)
        assert "no space left" in answer.err.lower() or "full" in answer.err
        assert not [one for one in small.rglob("*") if ".cloche-" in one.name]
        assert cloche.run(*words).code == 0
    finally:
        subprocess.run(["umount", "--lazy", small], check=True)
