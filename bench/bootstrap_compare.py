#!/usr/bin/env python3
"""Compares an image of a workspace with mmdebstrap's tar, file by file.

    bench/bootstrap_compare.py WORKSPACE IMAGE MMDEBSTRAP.tar

Kind, mode, owners, content and targets; times of files are counted apart, since mmdebstrap clamps them. Exit code 1: there
are differences beyond those that docs/formats/debian-segment.md names.
"""
import fnmatch
import hashlib
import io
import json
import subprocess
import sys
import tarfile

ONLY_THERE = ["dev/*", "etc/.pwd.lock", "etc/fstab", "etc/hostname", "etc/resolv.conf", "var/lib/apt/extended_states",
              "var/cache/apt/archives/*", "var/lib/apt/lists/*", "var/lib/dpkg/*-old", "var/lib/dpkg/lock*",
              "var/lib/dpkg/triggers/Lock", "var/cache/debconf/*-old"]
DIFFER = ["etc/shadow", "etc/shadow-", "etc/apt/sources.list", "var/cache/apt/archives/partial", "var/lib/apt/lists/partial"]


def node(archive, member):
    content = hashlib.sha256(archive.extractfile(member).read()).hexdigest() if member.isreg() else ""
    return ("link" if member.issym() else "directory" if member.isdir() else member.type.decode(), oct(member.mode), member.uid, member.gid,
            content, member.linkname if member.issym() else "", member.size if member.isreg() else 0)


def add(tree, times, archive):
    for member in archive:
        path = member.name.removeprefix("./").rstrip("/")
        folder, _, name = path.rpartition("/")
        if path in ("", "."):
            continue
        if name.startswith(".wh."):
            gone = folder if name == ".wh..wh..opq" else (folder + "/" if folder else "") + name[4:]
            for one in [p for p in tree if p.startswith(gone + "/") or (p == gone and name != ".wh..wh..opq")]:
                del tree[one]
        elif member.islnk():
            target = member.linkname.removeprefix("./")
            tree[path], times[path] = tree[target], times[target]
        else:
            tree[path], times[path] = node(archive, member), member.mtime


def image_tree(workspace, name):
    blob = lambda digest: f"{workspace}/blobs/{digest.replace(':', '/')}"
    index = json.load(open(workspace + "/index.json"))
    [digest] = [m["digest"] for m in index["manifests"] if m.get("annotations", {}).get("org.opencontainers.image.ref.name") == name]
    tree, times = {}, {}
    for layer in json.load(open(blob(digest)))["layers"]:
        plain = subprocess.run(["zstd", "-dc", blob(layer["digest"])], capture_output=True, check=True).stdout
        add(tree, times, tarfile.open(fileobj=io.BytesIO(plain)))
    return tree, times


def matches(path, patterns):
    return any(fnmatch.fnmatch(path, one) for one in patterns)


def main(workspace, name, reference):
    ours, our_times = image_tree(workspace, name)
    theirs, their_times = {}, {}
    add(theirs, their_times, tarfile.open(reference))
    unexpected = [f"only here: {p}" for p in sorted(ours.keys() - theirs.keys())]
    unexpected += [f"only there: {p}" for p in sorted(theirs.keys() - ours.keys()) if not matches(p, ONLY_THERE)]
    both = ours.keys() & theirs.keys()
    unexpected += [f"differs: {p}: {ours[p]}, {theirs[p]}" for p in sorted(both) if ours[p] != theirs[p] and not matches(p, DIFFER)]
    size = lambda tree: f"{sum(one[6] for one in tree.values()) / 1e6:.1f} MB"
    print(f"content of all files: {size(ours)} here, {size(theirs)} there")
    print(f"{len(ours)} here, {len(theirs)} there, {len(both)} in both; {sum(our_times[p] != their_times[p] for p in both)} with other times")
    print("\n".join(unexpected) or "no difference but the documented ones")
    return 1 if unexpected else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
