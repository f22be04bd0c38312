"""From a conda file to a running Python in one command: locked, built, unpacked and run over a channel."""
from test_bytecode import PACKAGES, VERSION, channel  # noqa: F401: a fixture

START = f"import sys; sys.path.append('/{PACKAGES}'); import tool; print(tool.f(1), sys.prefix); open('made', 'w').write('x')"


def test_a_file_becomes_a_python_that_runs(cloche, channel):  # noqa: F811
    command = ["run", "environment.yml", "--", f"python{VERSION}", "-E", "-s", "-S", "-c", START]
    assert cloche.run(*command).out == "True /opt/cloche/env\n"
    assert (cloche.folder / "made").read_text() == "x"
    (cloche.folder / "channel/noarch/repodata.json").unlink()  # locked and built: nobody asks again
    assert cloche.run(*command).out == "True /opt/cloche/env\n"
    assert cloche.run("run", "environment.yml", "--", f"python{VERSION}", "-E", "-s", "-S", "-c", "raise SystemExit(9)", code=9).out == ""
