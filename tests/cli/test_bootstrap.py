"""Base images out of Debian's archive. Making one takes half a minute and 30 MB, so that is done only
where CLOCHE_TEST_ARCHIVE is set, as bench/bootstrap.sh does; what is refused is seen everywhere."""
import os
import shutil
import subprocess

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
