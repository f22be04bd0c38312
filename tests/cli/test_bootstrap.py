"""Base images out of Debian's archive. Making one takes half a minute and 30 MB, so that is done only
where CLOCHE_TEST_ARCHIVE is set, as bench/bootstrap.sh does; what is refused is seen everywhere."""
import json
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

import pytest


def test_only_debians_suites_are_made(cloche):
    assert "debian:bookworm" in str(cloche.error("image", "bootstrap", "fedora:40", code=2))
    assert "debian:bookworm" in str(cloche.error("image", "bootstrap", "debian:sid", code=2))
    cloche.error("image", "bootstrap", "debian:bookworm", "--variant", "huge", code=2)


def test_an_archive_that_is_not_there_is_named(cloche):
    (cloche.folder / "none.list").write_text("deb [trusted=yes] file:/nowhere bookworm main\n")
    error = cloche.error("image", "bootstrap", "debian:bookworm", "--sources", "none.list", code=4)
    assert "/nowhere" in str(error)


needs_archive = pytest.mark.skipif(
    not os.environ.get("CLOCHE_TEST_ARCHIVE") or os.geteuid() != 0 or not (shutil.which("runc") or shutil.which("crun")),
    reason="CLOCHE_TEST_ARCHIVE is not set, or no root, or no runc and crun")


@needs_archive
@pytest.mark.parametrize("suite", ["bullseye", "bookworm", "trixie"])
def test_the_image_is_a_system_that_dpkg_finds_whole(cloche, suite):
    first = cloche.json("image", "bootstrap", f"debian:{suite}")
    again = cloche.json("image", "bootstrap", f"debian:{suite}")
    assert again["digest"] == first["digest"] and not again["configured"]
    (cloche.folder / "environment.yml").write_text(f"image: debian:{suite}\nname: plain\n")
    audit = "dpkg --audit && dpkg -V"
    answer = cloche.run("run", "environment.yml", "--", "sh", "-c", audit)
    assert answer.out.strip() == ""
    more = "apt-get update -q && apt-get install -q -y --no-install-recommends less && less --version && dpkg --audit"
    assert "less 5" in (shown := cloche.run("run", "environment.yml", "--", "sh", "-c", more).out) or "less 6" in shown


def subordinate_user():
    """An ordinary user of this machine to whom /etc/subuid gives numbers; None."""
    for line in pathlib.Path("/etc/subuid").read_text().splitlines() if pathlib.Path("/etc/subuid").exists() else []:
        name = line.split(":")[0]
        try:
            return pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
        except KeyError:
            continue
    return None


@needs_archive
@pytest.mark.skipif(not shutil.which("newuidmap") or not subordinate_user(), reason="no user with numbers in /etc/subuid, or no newuidmap")
def test_a_user_who_is_not_root_makes_the_same_image(cloche):
    mine = cloche.json("image", "bootstrap", "debian:bookworm")["digest"]
    user = subordinate_user()
    folder = pathlib.Path(tempfile.mkdtemp(dir="/var/tmp", prefix="cloche-rootless-"))
    try:
        shutil.copy(cloche.program, folder / "cloche")
        os.chown(folder, user.pw_uid, user.pw_gid)
        words = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "./cloche", "--output", "json",
                 "image", "bootstrap", "debian:bookworm"]
        environment = {**cloche.environment, "HOME": str(folder), "CLOCHE_CACHE": str(folder / "cache")}
        answer = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
        assert answer.returncode == 0, answer.stderr
        assert json.loads(answer.stdout)["digest"] == mine
        assert all(one.lstat().st_uid in (0, user.pw_uid) for one in folder.rglob("*"))
    finally:
        shutil.rmtree(folder)
