"""What whole-system tests share: the real program, in a folder and a workspace of its own."""
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Answer:
    """What a run of the program gave."""

    def __init__(self, process):
        self.code = process.returncode
        self.out = process.stdout.decode("utf-8", "surrogateescape")
        self.err = process.stderr.decode("utf-8", "surrogateescape")

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def error(self):
        """The error record that `--output json` puts on standard error, as its last line."""
        record = json.loads(self.err.splitlines()[-1])
        assert record["severity"] == "error", self.err
        return record


class Cloche:
    """Runs the program in `folder`; its workspace is the folder's own."""

    def __init__(self, folder):
        self.program = os.environ.get("CLOCHE") or str(ROOT / "build/dev/bin/cloche")
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir()
        self.environment = {
            "HOME": str(self.home),
            "PATH": f"{pathlib.Path(self.program).parent}:/usr/bin:/bin",
            "LANG": "C.UTF-8",
        }

    def run(self, *words, code=0, input=None, env=None, **options):
        """Runs and checks the exit code (None: any)."""
        process = subprocess.run(
            [self.program, *map(str, words)],
            input=input.encode() if isinstance(input, str) else input,
            stdin=subprocess.DEVNULL if input is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=options.pop("cwd", self.folder),
            env={**self.environment, **(env or {})},
            timeout=60,
            **options,
        )
        answer = Answer(process)
        if code is not None:
            assert answer.code == code, f"exit code {answer.code}\n{answer.out}\n{answer.err}"
        return answer

    def json(self, *words, **options):
        return self.run(*words, "--output", "json", **options).json

    def error(self, *words, code, **options):
        """The error record of a run that must fail."""
        answer = self.run(*words, "--output", "json", code=code, **options)
        assert answer.out == ""
        assert answer.error["exit_code"] == code
        return answer.error

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path


@pytest.fixture
def cloche(tmp_path):
    return Cloche(tmp_path)
