#!/usr/bin/env python3
"""Holds every #include "module/..." under src/ against the table in src/CMakeLists.txt."""
import pathlib
import re
import sys

SRC = pathlib.Path(__file__).resolve().parent.parent / "src"
TABLE = re.compile(r"^module\((\w+)([^)]*)\)", re.M)
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def read_table():
    allowed = {}
    for name, rest in TABLE.findall((SRC / "CMakeLists.txt").read_text()):
        uses = re.split(r"\bLIBRARIES\b", rest)[0].replace("USES", "").split()
        allowed[name] = {name, *uses}
    return allowed


def main():
    allowed = read_table()
    wrong = []
    for path in sorted([*SRC.rglob("*.h"), *SRC.rglob("*.cc")]):
        module = path.relative_to(SRC).parts[0]
        text = path.read_text()
        for match in INCLUDE.finditer(text):
            target = match.group(1).split("/")[0]
            if target in allowed.get(module, ()):
                continue
            line = text.count("\n", 0, match.start()) + 1
            wrong.append(
                f'src/{path.relative_to(SRC)}:{line}: #include "{match.group(1)}" is not allowed here; '
                f"{module} may use: {', '.join(sorted(allowed.get(module, ['nothing: not in the table'])))}"
            )
    print("\n".join(wrong) or f"{len(allowed)} modules keep to the table in src/CMakeLists.txt")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
