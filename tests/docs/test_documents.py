"""Every example of README.md and docs/manual/ works as it is written."""
import pathlib
import re
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import documents

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs/manual").glob("*.md"))]


def with_examples(document):
    return any(info == "console" and not comment for info, _, comment, _ in documents.blocks(document.read_text()))


@pytest.mark.parametrize("document", filter(with_examples, DOCUMENTS), ids=lambda path: path.name)
def test_examples(document, cloche):
    shutil.copytree(ROOT / "examples", cloche.folder / "examples")
    assert documents.run(document, cloche.folder, cloche.environment) > 0


def test_the_runner_sees_what_is_wrong(tmp_path, cloche):
    def outcome(text):
        document = tmp_path / "page.md"
        document.write_text(text)
        return documents.run(document, tmp_path, cloche.environment)

    assert outcome("```console\n$ echo a; echo b; echo c\na\n...\n$ false  # exit code 1\n```\n") == 2
    assert outcome("<!-- not run: no network -->\n```console\n$ false\n```\n") == 0
    assert outcome("<!-- file: x.txt -->\n```text\nhello\n```\n\n```console\n$ cat x.txt\nhe...o\n```\n") == 1
    for wrong in ["$ false", "$ true  # exit code 1", "$ echo a\nb", "$ echo a\n...a\nb", "$ echo a; echo b\na"]:
        with pytest.raises(AssertionError):
            outcome(f"```console\n{wrong}\n```\n")


def test_the_attacks_name_tests_that_there_are():
    rows = [line.split(" | ") for line in (ROOT / "docs/attacks.md").read_text().splitlines() if line.startswith("| ")][1:]
    assert [int(row[0].strip("| ")) for row in rows] == list(range(1, 31))
    for row in rows:
        text = ""
        for file, name in re.findall(r"`((?:src|tests)/[^`]+)`|`(\w[\w-]+)`", row[-1]):
            text = (ROOT / file).read_text() if file else text
            assert file or not text or re.search(rf"\b{name}\b", text), f"{row[0]}: {name}"
