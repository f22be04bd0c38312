#!/usr/bin/env python3
"""How packages should be grouped into layers: what a changed package re-sends, and what related environments share.

Usage: layer_grouping.py LOCK...     locks as `cloche env lock REF --output json` prints them
Sizes are those of the packages' archives. See docs/decisions/0019-grouping-packages-into-layers.md.
"""
import hashlib
import json
import pathlib
import sys


def bucket(name, count):
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % count


def largest_alone(layers, shared):
    """The chosen way (src/image/layer_plan.cc)."""

    def group(packages):
        alone = set(sorted(packages, key=lambda name: (-packages[name][1], name))[: layers - shared])
        if len(packages) <= layers:
            alone = set(packages)
        out = {}
        for name in packages:
            out.setdefault(name if name in alone else bucket(name, shared), []).append(name)
        return out.values()

    return group


def over_a_size(layers, shared, size):
    """Packages over a size alone; the size doubles until there are few enough."""

    def group(packages):
        limit = size
        while sum(one[1] >= limit for one in packages.values()) > layers - shared:
            limit *= 2
        out = {}
        for name, (_, bytes_) in packages.items():
            out.setdefault(name if bytes_ >= limit else bucket(name, shared), []).append(name)
        return out.values()

    return group


def by_alphabet(layers):
    def group(packages):
        names = sorted(packages)
        edges = [i * len(names) // layers for i in range(layers + 1)]
        return [names[a:b] for a, b in zip(edges, edges[1:]) if a < b]

    return group


STRATEGIES = {
    "all in one": lambda packages: [list(packages)],
    "one each": lambda packages: [[name] for name in packages],
    "by alphabet, 64": by_alphabet(64),
    "by alphabet, 90": by_alphabet(90),
    "largest alone, 64 with 16 shared": largest_alone(64, 16),
    "largest alone, 80 with 8 shared": largest_alone(80, 8),
    "largest alone, 80 with 16 shared": largest_alone(80, 16),
    "largest alone, 80 with 32 shared": largest_alone(80, 32),
    "largest alone, 90 with 16 shared": largest_alone(90, 16),
    "over 256 KB alone, 80 with 32 shared": over_a_size(80, 32, 1 << 18),
    "over 1 MB alone, 80 with 24 shared": over_a_size(80, 24, 1 << 20),
}


def main():
    environments = []
    for path in sys.argv[1:]:
        packages = json.loads(pathlib.Path(path).read_text())["lock"]["packages"]
        environments.append({one["name"]: (one["version"] + one["build"], one["size"] or 1000) for one in packages})
    print(f"{'grouping':38} {'MB re-sent':>10} {'shared':>7} {'layers':>6}")
    for name, group in STRATEGIES.items():
        resent, layers, shares = [], 0, []
        for packages in environments:
            groups = list(group(packages))
            layers = max(layers, len(groups))
            sizes = [(len(names), sum(packages[one][1] for one in names)) for names in groups]
            resent.append(sum(count * size for count, size in sizes) / len(packages))
        for before, after in zip(environments, environments[1:]):
            known = {frozenset((one, before[one][0]) for one in names) for names in group(before)}
            same = sum(size for one, (version, size) in after.items() if before.get(one, ("",))[0] == version)
            found = sum(
                sum(after[one][1] for one in names)
                for names in group(after)
                if frozenset((one, after[one][0]) for one in names) in known
            )
            if same:
                shares.append(found / same)
        share = sum(shares) / len(shares) if shares else 0
        print(f"{name:38} {sum(resent) / len(resent) / 1e6:10.2f} {share:7.3f} {layers:6}")


if __name__ == "__main__":
    main()
