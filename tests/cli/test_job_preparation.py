"""Preparing a job goes on whatever becomes of the command that submitted it."""
import http.server
import json
import os
import signal
import subprocess
import threading

import pytest

from boxes import add_busybox_image, jobs, processes_of  # noqa: F401: a fixture


class SlowRegistry:
    """A container registry with one image, `box:1`, which it gives only once it is let go."""

    def __init__(self, folder):
        add_busybox_image(folder, "box:1")
        manifest = json.loads((folder / "index.json").read_text())["manifests"][0]
        self.asked, self.go = threading.Semaphore(0), threading.Event()
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                parts = self.path.split("/")
                if self.path == "/v2/":
                    return self.answer(200, b"{}", "application/json")
                if parts[2] != "box" or parts[-1] == "none":
                    return self.answer(404, b"{}", "application/json")
                if parts[3] == "manifests":
                    registry.asked.release()
                    registry.go.wait()
                    parts[-1] = manifest["digest"]
                data = (folder / "blobs/sha256" / parts[-1].removeprefix("sha256:")).read_bytes()
                kind = manifest["mediaType"] if parts[3] == "manifests" else "application/octet-stream"
                return self.answer(200, data, kind)

            do_HEAD = do_GET

            def answer(self, status, data, kind):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Docker-Content-Digest", manifest["digest"])
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"127.0.0.1:{self.server.server_port}"

    def wait_until_asked(self):
        assert self.asked.acquire(timeout=30)

    def close(self):
        self.go.set()
        self.server.shutdown()


@pytest.fixture
def registry(tmp_path):
    folder = tmp_path / "registry"
    folder.mkdir()
    out = SlowRegistry(folder)
    yield out
    out.close()


def submit(cloche, registry, tag="1"):
    """The command, while the job is prepared."""
    cloche.write("job.yml", f'name: slow\ncommand: echo done\nenvironment: {{image: "{registry.address}/box:{tag}"}}\n')
    words = [cloche.program, "job", "create", "-f", "job.yml", "--stream", "--output", "json"]
    return subprocess.Popen(words, cwd=cloche.folder, env=cloche.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def preparers(cloche):
    return [int(pid) for pid, words in processes_of(cloche) if b"--job=slow" in words]


def test_a_command_that_is_killed_ends_no_preparation(cloche, jobs, registry):  # noqa: F811
    command = submit(cloche, registry)
    registry.wait_until_asked()
    command.kill()
    command.communicate()
    assert cloche.json("job", "show", "slow")["status"] == "Preparing"
    registry.go.set()
    jobs.wait("slow", "Completed")
    assert jobs.log("slow") == "done\n"


def test_a_preparer_that_is_killed_is_followed_by_another(cloche, jobs, registry):  # noqa: F811
    command = submit(cloche, registry)
    registry.wait_until_asked()
    [first] = preparers(cloche)
    os.kill(first, signal.SIGKILL)
    registry.wait_until_asked()
    registry.go.set()
    out, err = command.communicate(timeout=60)
    assert command.returncode == 0, err
    assert json.loads(out)["status"] == "Completed"


def test_a_job_can_be_canceled_while_it_is_prepared(cloche, jobs, registry):  # noqa: F811
    command = submit(cloche, registry)
    registry.wait_until_asked()
    assert cloche.json("job", "cancel", "slow")["status"] == "Canceled"
    _, err = command.communicate(timeout=60)
    assert command.returncode == 8 and b"canceled" in err


def test_what_goes_wrong_is_told_by_the_command(cloche, jobs, registry):  # noqa: F811
    command = submit(cloche, registry, tag="none")
    _, err = command.communicate(timeout=60)
    error = json.loads(err.splitlines()[-1])
    assert command.returncode == 4 and "none" in error["message"]
    job = cloche.json("job", "show", "slow")
    assert job["status"] == "Failed" and job["failed_in"] == "Preparing" and job["reason"] == error["message"]


def test_what_is_not_known_of_an_image_is_told_once(jobs):  # noqa: F811
    assert jobs.command("true").err.count("which glibc box:1 has is not known") == 1
