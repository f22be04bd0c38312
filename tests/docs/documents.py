"""Runs the examples of a Markdown document.

In a ```console block each line that starts with "$ " is a command (a backslash at its end continues it),
and the lines below it, if there are any, are what it prints; "..." in a line stands for any text in that line,
a line "..." for any lines. A command that ends in "# exit code N" must end with N, any other with 0.
Commands of a document run one after another in one folder, with `examples/` beside them, by bash.
An HTML comment right above a block says more:
    <!-- file: NAME -->    writes the block's text into a file of the folder
    <!-- not run: why -->  leaves the block alone
"""
import re
import subprocess

FENCE = re.compile(r"^(?P<indent> *)```(?P<info>.*)$")
COMMENT = re.compile(r"^\s*<!-- (file|not run): (.+) -->\s*$")
EXIT_CODE = re.compile(r"\s+# exit code (\d+)$")


def blocks(text):
    """(info, text, comment, line number) of each fenced block."""
    lines = text.split("\n")
    found = []
    comment = None
    i = 0
    while i < len(lines):
        fence = FENCE.match(lines[i])
        if fence:
            start = i
            body = []
            i += 1
            while i < len(lines) and lines[i].strip() != "```":
                body.append(lines[i].removeprefix(fence["indent"]))
                i += 1
            found.append((fence["info"].strip(), "\n".join(body) + "\n", comment, start + 1))
            comment = None
        elif COMMENT.match(lines[i]):
            comment = COMMENT.match(lines[i]).groups()
        elif lines[i].strip():
            comment = None
        i += 1
    return found


def commands(text, line):
    """(command, expected exit code, expected lines or None, line number) of a console block."""
    found = []
    continued = False
    for offset, one in enumerate(text.rstrip("\n").split("\n")):
        if continued:
            found[-1][0] += "\n" + one
            continued = one.endswith("\\")
        elif one.startswith("$ "):
            found.append([one[2:], 0, None, line + 1 + offset])
            continued = one.endswith("\\")
        else:
            assert found, f"line {line + 1 + offset}: output above the first command"
            found[-1][2] = (found[-1][2] or []) + [one]
    for command in found:
        code = EXIT_CODE.search(command[0])
        if code:
            command[1] = int(code[1])
    return found


def pattern(expected):
    """A regular expression for the expected lines."""
    out = ""
    for line in expected:
        if line.strip() == "...":
            out += r"(?:.*\n)*?"
        else:
            out += ".*".join(re.escape(part) for part in line.rstrip().split("...")) + "[ \t]*\n"
    return re.compile(out)


def run(document, folder, environment):
    """Runs every example; returns how many commands ran, raises AssertionError with the place."""
    count = 0
    for info, text, comment, line in blocks(document.read_text()):
        if comment and comment[0] == "file":
            path = folder / comment[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        if info != "console" or comment:
            continue
        for command, code, expected, at in commands(text, line):
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=60,
            )
            printed = done.stdout.decode("utf-8", "replace")
            place = f"{document.name}:{at}: $ {command}\n"
            assert done.returncode == code, f"{place}exit code {done.returncode}\n{printed}"
            if expected is not None:
                shown = "".join(line.rstrip() + "\n" for line in printed.splitlines())
                wanted = "\n".join(expected)
                assert pattern(expected).fullmatch(shown), f"{place}printed\n{printed}\nexpected\n{wanted}"
            count += 1
    return count
