#!/usr/bin/env python3
"""Which C++ files can be read as one: file_groups.py MOST FILE... prints "group;file" lines.

Two files of a module that keep the same name for themselves (in an unnamed namespace) cannot be in one
group. Each file goes into the first group that has room (MOST files) and none of its names. Deterministic.
"""
import pathlib
import re
import sys

# What clang-format leaves at the start of a line between "namespace {" and its end.
DECLARED = [
    re.compile(r"^(?:class|struct|enum class|enum|concept) (\w+)"),
    re.compile(r"^using (\w+) ="),
    re.compile(r"^(?:constexpr|const|constinit|thread_local|std::atomic)\b[^=({]*?(\w+)(?:\[\w*\])*(?: =|\{|\(|;|$)"),
    re.compile(r"^(?!return|if|for|while|else)[A-Za-z][\w:<>&*, ]*?[ &*>](\w+)\("),
    re.compile(r"^(?:TEST_F|TEST|TEST_P|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)\((\w+), *(\w+)"),
]


def names_of(path):
    parts = pathlib.PurePath(path).parts
    module = parts[-parts[::-1].index("src")] if "src" in parts else ""
    names = set()
    own = False
    for line in open(path, encoding="utf-8"):
        if line.startswith("namespace {"):
            own = True
        elif line.startswith("}  // namespace"):
            own = False
        elif own:
            for pattern in DECLARED:
                match = pattern.match(line)
                if match:
                    names.add((module, *match.groups()))
    return names


def groups_of(files, most):
    """Lists of files."""
    groups = []
    for path in files:
        names = names_of(path)
        for members, taken in groups:
            if len(members) < most and not names & taken:
                break
        else:
            members, taken = [], set()
            groups.append((members, taken))
        members.append(path)
        taken |= names
    return [members for members, _ in groups]


def main():
    for number, members in enumerate(groups_of(sys.argv[2:], int(sys.argv[1]))):
        for path in members:
            print(f"{number};{path}")


if __name__ == "__main__":
    main()
