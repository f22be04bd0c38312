"""What only dpkg in the container can do: diversions, alternatives, packages that go. On a real base image, so only where
CLOCHE_TEST_ARCHIVE is set."""
import subprocess

import debian
import pytest
from test_bootstrap import needs_archive

DIVERT = """#!/bin/sh
set -e
if [ "$1" = install ]; then dpkg-divert --package louder --add --rename --divert /usr/bin/hello.quiet /usr/bin/hello; fi
"""
ALTERNATIVE = """#!/bin/sh
set -e
update-alternatives --install /usr/bin/greet greet /usr/bin/greet-loudly 50
"""


def build(archive, name, fields, files, scripts):
    root = archive.folder / name
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN/control").write_text(f"Package: {name}\nVersion: 1\nArchitecture: amd64\nMaintainer: x\n{fields}Description: x\n")
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
        (root / path).chmod(0o755)
    for script, text in scripts.items():
        (root / "DEBIAN" / script).write_text(text)
        (root / "DEBIAN" / script).chmod(0o755)
    archive.add_file(name, "1", fields, lambda path: subprocess.run(
        ["dpkg-deb", "--build", "--root-owner-group", str(root), str(path)], check=True, capture_output=True))


@pytest.fixture
def based(cloche):
    """A base with hello, and an archive with packages that get in its way."""
    cloche.run("image", "bootstrap", "debian:bookworm", "--include", "hello", "--name", "base:1")
    archive = debian.Archive(cloche.folder / "mirror")
    build(archive, "louder", "", {"usr/bin/hello": "#!/bin/sh\nhello.quiet | tr a-z A-Z\n"}, {"preinst": DIVERT})
    build(archive, "greeter", "", {"usr/bin/greet-loudly": "#!/bin/sh\necho HI\n"}, {"postinst": ALTERNATIVE})
    build(archive, "goodbye", "Conflicts: hello\n", {"usr/bin/goodbye": "#!/bin/sh\necho bye\n"}, {})
    build(archive, "hello-again", "", {"usr/bin/greet-loudly": "#!/bin/sh\necho again\n"}, {})
    archive.sources(cloche.folder / "our.sources")

    def make(*packages, code=0):
        lines = "".join(f"  - {one}\n" for one in packages)
        cloche.write("environment.yml", f"name: tools\nimage: base:1\napt:\n{lines}")
        return cloche.run("env", "build", "environment.yml", "--apt-sources", "our.sources", code=code)

    cloche.make = make
    cloche.inside = lambda script: cloche.run("run", "environment.yml", "--", "sh", "-c", script).out
    return cloche


@needs_archive
def test_a_diversion_of_a_file_of_the_base(based):
    based.make("louder")
    assert based.inside("hello; dpkg-divert --list louder; dpkg --audit; dpkg -V") == (
        "HELLO, WORLD!\ndiversion of /usr/bin/hello to /usr/bin/hello.quiet by louder\n")


@needs_archive
def test_alternatives_are_what_scripts_make_them(based):
    based.make("greeter")
    assert based.inside("greet; readlink /etc/alternatives/greet; dpkg --audit; dpkg -V") == "HI\n/usr/bin/greet-loudly\n"


@needs_archive
def test_a_package_of_the_base_goes(based):
    based.make("goodbye")
    script = "goodbye; test ! -e /usr/bin/hello && dpkg-query -W -f '${db:Status-Status}' hello 2>&1 | head -1; dpkg --audit; dpkg -V"
    assert based.inside(script).splitlines()[0] == "bye"
    assert "hello is installed" not in based.inside(script)
    assert based.inside("test -e /usr/bin/hello || echo gone") == "gone\n"


@needs_archive
def test_two_packages_with_one_file_are_told(based):
    answer = based.make("greeter", "hello-again", code=5)
    assert "greeter" in answer.err and "hello-again" in answer.err and "usr/bin/greet-loudly" in answer.err
