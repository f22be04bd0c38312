#!/usr/bin/env python3
"""clang-tidy over C++ files: tools/lint.py CLANG-TIDY BUILD-FOLDER CHECKS FILE...

Most of clang-tidy's time goes into what a file's headers bring, so many files are checked as one: each
pile is a source file that includes its members (file_groups.py says which can stand together; where they
clash all the same, they are checked one by one). Prints the findings; exits with 1 when there is one.
"""
import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys

import file_groups

MOST = 16  # files in a pile: about 700 MB of memory
# What looks at the main file only, or at what a pile does and its members do not.
NOT_IN_PILES = ",-bugprone-suspicious-include,-misc-use-internal-linkage"


def options_of(entry):
    """The options of a compile command that decide how its file is read."""
    words = shlex.split(entry["command"])
    kept = []
    for index, word in enumerate(words):
        if word.startswith(("-D", "-I", "-std=")):
            kept.append(word)
        elif word in ("-isystem", "-include"):
            kept += words[index : index + 2]
    return kept


def piles_of(files, cores):
    # Dealt out, so that a pile has files of many modules: neighbours keep the same names more often.
    ordered = sorted(files)
    dealt = [file for first in range(MOST) for file in ordered[first::MOST]]
    return file_groups.groups_of(dealt, max(1, min(MOST, len(files) // cores)))


def tidy(program, checks, path, options):
    run = subprocess.run(
        [program, "--quiet", f"--checks={checks}", path, "--", *options],
        capture_output=True, text=True, check=False)
    return run.returncode, run.stdout


def check_pile(number, members, program, build, checks, options):
    if len(members) == 1:
        return tidy(program, checks, members[0], options[members[0]])
    pile = build / "lint" / f"pile_{number}.cc"
    pile.parent.mkdir(exist_ok=True)
    pile.write_text("".join(f'#include "{member}"\n' for member in members))
    together = list(dict.fromkeys(option for member in members for option in options[member]))
    code, text = tidy(program, checks + NOT_IN_PILES, str(pile), together)
    if "clang-diagnostic-error" not in text:
        return code, text
    print(f"lint: pile {number} is no unit; its files one by one", file=sys.stderr, flush=True)
    alone = [tidy(program, checks, member, options[member]) for member in members]
    return max(code for code, _ in alone), "".join(text for _, text in alone)


def main():
    program, build, checks, *files = sys.argv[1:]
    build = pathlib.Path(build).resolve()
    entries = json.loads((build / "compile_commands.json").read_text())
    options = {entry["file"]: [*options_of(entry), f"-I{build.parent.parent / 'src'}"] for entry in entries}
    cores = os.cpu_count() or 1
    piles = piles_of([str(pathlib.Path(file).resolve()) for file in files], cores)
    failed = False
    with concurrent.futures.ThreadPoolExecutor(cores) as pool:
        results = pool.map(lambda pile: check_pile(*pile, program, build, checks, options), enumerate(piles))
        for number, (code, text) in enumerate(results, 1):
            print(text, end="", flush=True)
            print(f"lint: {number} of {len(piles)}", file=sys.stderr, flush=True)
            failed = failed or code != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
