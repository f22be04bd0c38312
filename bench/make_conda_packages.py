#!/usr/bin/env python3
"""Makes realistic conda packages from what Debian has installed: 36 packages, 6,689 files, about 98 MB, zstd -19.

That is the size of a scientific environment's relinked part as it was measured with micromamba. Text with a placeholder
(one file in 25) and libraries with placeholders (one in three) are as frequent as on conda-forge.
The choice is by sorted path, so the same machine gives the same packages. Usage: make_conda_packages.py DIRECTORY
"""
import hashlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import zipfile

PACKAGES = 36
FILES = 6689
BYTES = 98_000_000
LIBRARIES = 28
PLACEHOLDER = ("/home/conda/feedstock_root/build_artifacts/package_1700000000000/_h_env" + "_placehold" * 30)[:255]
TEXT_ROOTS = ("/usr/lib/python3", "/usr/lib/python3.11", "/usr/include", "/usr/share/doc", "/usr/share/perl")
LIBRARY_ROOT = "/usr/lib/x86_64-linux-gnu"


def regular_files(root, wanted):
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = pathlib.Path(folder, name)
            if path.is_file() and not path.is_symlink() and wanted(path):
                yield path


def choose():
    """(path in the package, content, placeholder's mode or None), libraries first, FILES of them, BYTES in all."""
    libraries = [p for p in regular_files(LIBRARY_ROOT, lambda p: ".so" in p.name and 100_000 < p.stat().st_size < 3_000_000)]
    step = max(1, len(libraries) // LIBRARIES)
    chosen = []
    for number, path in enumerate(libraries[::step][:LIBRARIES]):
        content = path.read_bytes()
        mode = None
        if number % 3 == 0:
            at = len(content) // 2
            content = content[:at] + b"\0" + PLACEHOLDER.encode() + b"/lib:" + PLACEHOLDER.encode() + b"\0" + content[at:]
            mode = "binary"
        chosen.append((f"lib/{path.name}", content, mode))
    left = BYTES - sum(len(content) for _, content, _ in chosen)
    texts = [p for root in TEXT_ROOTS for p in regular_files(root, lambda p: "__pycache__" not in p.parts and p.stat().st_size < 200_000)]
    texts = texts[: max(FILES, len(texts))]
    stride = len(texts) / (FILES - len(chosen))
    for number in range(FILES - len(chosen)):
        path = texts[int(number * stride)]
        content = path.read_bytes()
        mode = None
        if number % 25 == 0:
            content = f"#!{PLACEHOLDER}/bin/python\n".encode() + content
            mode = "text"
        chosen.append((f"share/{str(path).lstrip('/')}", content, mode))
        left -= len(content)
    # Real environments also have a few large data files.
    if left > 0:
        pool = b"".join(p.read_bytes() for p in texts[:2000])
        while len(pool) < left:
            pool += pool
        path, content, mode = chosen[-1]
        chosen[-1] = (path, content + pool[:left], mode)
    return chosen


def tar_zst(entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path, content, executable in entries:
            info = tarfile.TarInfo(path)
            info.size, info.mtime, info.mode = len(content), 1_700_000_000, 0o775 if executable else 0o664
            tar.addfile(info, io.BytesIO(content))
    return subprocess.run(["zstd", "-19", "-q", "-c"], input=out.getvalue(), stdout=subprocess.PIPE, check=True).stdout


def write_package(folder, number, files, version="1.0"):
    """Writes the archive; returns its record for repodata.json."""
    name = f"bench{number:02d}"
    stem = f"{name}-{version}-0"
    paths = []
    for path, content, mode in files:
        line = {"_path": path, "path_type": "hardlink", "sha256": hashlib.sha256(content).hexdigest(), "size_in_bytes": len(content)}
        if mode:
            line.update(prefix_placeholder=PLACEHOLDER, file_mode=mode)
        paths.append(line)
    index = {"name": name, "version": version, "build": "0", "build_number": 0, "depends": [], "subdir": "linux-64"}
    info = [
        ("info/index.json", json.dumps(index).encode(), False),
        ("info/paths.json", json.dumps({"paths": paths, "paths_version": 1}, indent=2).encode(), False),
        ("info/about.json", json.dumps({"home": "https://example.org"}).encode(), False),
    ]
    with zipfile.ZipFile(folder / f"{stem}.conda", "w") as archive:
        archive.writestr("metadata.json", '{"conda_pkg_format_version": 2}')
        archive.writestr(f"info-{stem}.tar.zst", tar_zst(info))
        archive.writestr(f"pkg-{stem}.tar.zst", tar_zst([(p, c, p.startswith("bin/")) for p, c, _ in files]))
    data = (folder / f"{stem}.conda").read_bytes()
    return {**index, "sha256": hashlib.sha256(data).hexdigest(), "md5": hashlib.md5(data).hexdigest(), "size": len(data)}


def shares(packages=PACKAGES):
    """The files of each package."""
    chosen = choose()
    texts = chosen[LIBRARIES:]
    for number in range(packages):
        share = texts[len(texts) * number // packages : len(texts) * (number + 1) // packages]
        yield chosen[:LIBRARIES][number::packages] + share


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    count = size = 0
    for number, files in enumerate(shares()):
        write_package(folder, number, files)
        count += len(files)
        size += sum(len(content) for _, content, _ in files)
    print(f"{PACKAGES} packages, {count} files, {size} bytes, "
          f"{sum(p.stat().st_size for p in folder.glob('*.conda'))} compressed")


if __name__ == "__main__":
    main()
