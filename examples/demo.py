#!/usr/bin/env python3
"""./dev demo: the main job from end to end, on a machine that reaches Debian's archive and nothing else.

Makes a conda channel and a base image out of Debian packages, trains examples/pytorch-digits in an environment of them,
changes one package, and submits the first job again. With --conda-forge the packages come from conda-forge itself.
What is made stays in build/demo and in Cloche's cache: the second time everything is found.

Usage: demo.py BUILD_DIRECTORY [--conda-forge] [--spent NAME=SECONDS]...     (./dev passes what it spent before)
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples/pytorch-digits"
SUITE = "bullseye"  # it has the Python 3.9 that the example asks for
BASE = "debian:bookworm"
ADDED = "tabulate"


class Demo:
    def __init__(self, options):
        self.program = options.build.resolve() / "bin/cloche"
        self.channel_tool = options.build.resolve() / "bin/debian_channel"
        self.conda_forge = options.conda_forge
        self.place = ROOT / "build/demo"
        self.workspace = self.place / ("conda-forge/.cloche" if options.conda_forge else ".cloche")
        self.stages = [(name, float(seconds)) for name, seconds in (one.split("=") for one in options.spent)]
        self.run_name = time.strftime("%Y%m%d-%H%M%S")
        self.environment = {**os.environ, "CLOCHE_WORKSPACE": str(self.workspace)}
        if not options.conda_forge:
            # The example names conda-forge: here that name means the channel made of Debian packages.
            self.environment["CONDARC"] = str(self.place / "condarc")

    def stage(self, title, work):
        """Runs it and keeps how long it took."""
        print(f"\n== {title}", flush=True)
        begin = time.monotonic()
        result = work()
        self.stages.append((title, time.monotonic() - begin))
        print(f"   {self.stages[-1][1]:.1f} s", flush=True)
        return result

    def call(self, *words):
        shown = [str(word).replace(f"{ROOT}/", "") for word in words]
        print("$ " + " ".join(shown).replace(f"{self.program.parent}/".replace(f"{ROOT}/", ""), ""), flush=True)
        done = subprocess.run([str(word) for word in words], env=self.environment, cwd=ROOT, check=False)
        if done.returncode != 0:
            raise SystemExit(f"demo: that ended with exit code {done.returncode}")

    def cloche(self, *words):
        self.call(self.program, *words)

    def ask(self, *words):
        """The record of a command, nothing shown."""
        done = subprocess.run([str(self.program), *map(str, words), "--output", "json"], env=self.environment, cwd=ROOT,
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"demo: cloche {' '.join(map(str, words))}:\n{done.stderr.decode()}")
        return json.loads(done.stdout)

    def has(self, *words):
        """Whether this Cloche has a command."""
        done = subprocess.run([str(self.program), *words, "--help"], env=self.environment, capture_output=True, check=False)
        return done.returncode == 0

    def make_channel(self):
        channel = self.place / "channel/conda-forge"
        self.call(self.channel_tool, "make", channel, "--suite", SUITE)
        (self.place / "condarc").write_text(f"custom_channels:\n  conda-forge: {channel.parent.as_uri()}\n")

    def make_base(self):
        self.cloche("image", "bootstrap", BASE)

    def submit(self, number, folder=EXAMPLE):
        """A job to its end; its record."""
        name = f"digits-{self.run_name}-{number}"
        self.cloche("job", "create", "-f", folder / "job.yml", "--name", name, "--stream")
        record = self.ask("job", "show", name)
        spent = ", ".join(f"{one['stage']} {one['duration_ms'] / 1000:.1f} s" for one in record["stages"] if one["duration_ms"] is not None)
        print(f"   {record['status']}: {spent}")
        if record["status"] != "Completed":
            raise SystemExit(1)
        return record

    def show_results(self, record):
        run = self.workspace / "jobs" / record["name"]
        lines = (run / "outputs/metrics.jsonl").read_text().splitlines()
        accuracy = json.loads(lines[-1])["accuracy"]
        print(f"   accuracy on held-out digits: {accuracy:.1%}")
        for what, path in (("model", "outputs/model.pt"), ("plot", "outputs/loss.png"), ("metrics", "outputs/metrics.jsonl"),
                           ("log", "user_logs/std_log.txt")):
            size = (run / path).stat().st_size
            print(f"   {what:8} {run / path}  ({size:,} bytes)")
        if accuracy < 0.95:
            raise SystemExit("demo: the model learned less than it should")

    def change_one_package(self):
        """The same environment and one package more: built, and how little of it was new."""
        changed = self.place / "changed"
        shutil.rmtree(changed, ignore_errors=True)
        shutil.copytree(EXAMPLE, changed)
        text = (changed / "environment.yml").read_text()
        (changed / "environment.yml").write_text(text.replace("  - pip\n", f"  - pip\n  - {ADDED}\n"))
        (changed / "azureml.yml").write_text(f"name: digits-changed\nimage: {BASE}\nconda_file: environment.yml\n")
        (changed / "before.yml").write_text(f"name: digits\nimage: {BASE}\nconda_file: before-environment.yml\n")
        (changed / "before-environment.yml").write_text(text)
        before = self.ask("env", "build", changed / "before.yml")
        print(f"$ cloche env build build/demo/changed/azureml.yml   # {ADDED} added", flush=True)
        after = self.ask("env", "build", changed / "azureml.yml")
        if after["found"]:
            print("   found: nothing was made")
        else:
            print(f"   {after['packages_made']} of {after['packages']} packages made, the others were there")
        images = [self.ask("image", "show", one["image"]) for one in (before, after)]
        layers = [{layer["digest"]: layer["size"] for layer in image["layers"]} for image in images]
        new = {digest: size for digest, size in layers[1].items() if digest not in layers[0]}
        print(f"   {len(new)} of {len(layers[1])} layers differ: {sum(new.values()) / 1e6:.2f} of "
              f"{sum(layers[1].values()) / 1e6:.1f} MB to send again")

    def train_on_host(self):
        """Without `cloche job`: the environment in a directory of this machine, and the training there."""
        prefix, run = self.place / "prefix", self.place / "run"
        self.cloche("env", "install", EXAMPLE / "environment.yml", prefix, "--replace")
        shutil.rmtree(run, ignore_errors=True)
        run.mkdir()
        self.call(prefix / "bin/python", EXAMPLE / "train.py", "--outputs", run / "outputs")

    def run(self):
        self.place.mkdir(parents=True, exist_ok=True)
        if not self.conda_forge:
            self.stage(f"a conda channel of Debian {SUITE}'s packages", self.make_channel)
            if self.has("image", "bootstrap"):
                self.stage("a base image, natively from Debian's archive", self.make_base)
        if not self.has("job", "create"):
            self.stage("training on this machine: this Cloche runs no jobs", self.train_on_host)
            return self.show_stages()
        first = self.stage("the job: environment locked, built or found; training", lambda: self.submit(1))
        self.show_results(first)
        self.stage("one package changed: what is rebuilt", self.change_one_package)
        again = self.stage("the first job again", lambda: self.submit(2))
        self.show_cache_hit(first, again)
        return self.show_stages()

    @staticmethod
    def show_cache_hit(first, again):
        """The second time nothing is locked or built: both are found."""
        if first["environment"] != again["environment"]:
            raise SystemExit(f"demo: another environment: {first['environment']} and {again['environment']}")
        before, after = ({stage["stage"]: stage["duration_ms"] / 1000 for stage in record["stages"]} for record in (first, again))
        print(f"   cache hit: environment, lock and image were found; prepared in {after['Preparing']:.1f} s, "
              f"{before['Preparing']:.1f} s the first time")
        print(f"   the same image to the byte: {again['environment']['image_digest']}")

    def show_stages(self):
        print("\n== all stages")
        for name, seconds in self.stages:
            print(f"   {seconds:7.1f} s  {name}")
        print(f"   {sum(seconds for _, seconds in self.stages):7.1f} s  together")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--conda-forge", action="store_true", help="packages from conda-forge, the base image from its registry")
    parser.add_argument("--spent", action="append", default=[], metavar="NAME=SECONDS")
    Demo(parser.parse_args()).run()


if __name__ == "__main__":
    sys.exit(main())
