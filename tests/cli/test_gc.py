"""What nothing needs goes; what somebody needs stays, and it is said why."""
import hashlib
import os
import time


def age(path, seconds):
    when = time.time() - seconds
    os.utime(path, (when, when))


def context(cloche):
    cloche.write("ctx/Dockerfile", "FROM python:3.11\nCOPY . /app\n")
    cloche.write("ctx/a", "needed\n")
    cloche.run("env", "create", "--build-context", "ctx", "--name", "app")
    return cloche.folder / cloche.json("workspace", "show")["directory"]


def put(store, content):
    path = store / "blobs/sha256" / hashlib.sha256(content).hexdigest()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    age(path, 100)
    return path


def test_only_what_nothing_refers_to_goes(cloche):
    store = context(cloche)
    for path in (store / "blobs/sha256").iterdir():
        age(path, 100)
    junk = put(store, b"junk")
    before = sorted(path.name for path in (store / "blobs/sha256").iterdir())
    said = cloche.json("gc", "--dry-run")["workspace"]
    assert [one["path"] for one in said["removed"]] == [f"blobs/sha256/{junk.name}"]
    assert said["kept"] == [{"why": "build context of app:1", "count": 2, "size": said["kept_size"]}]
    assert sorted(path.name for path in (store / "blobs/sha256").iterdir()) == before
    done = cloche.json("gc")["workspace"]
    assert (done["removed_size"], junk.exists()) == (4, False)
    assert cloche.json("gc")["workspace"]["removed"] == []
    shown = cloche.json("store", "show")["workspace"]
    assert (shown["blob_count"], shown["reclaimable_size"]) == (2, 0)


def test_a_damaged_index_keeps_everything(cloche):
    store = context(cloche)
    junk = put(store, b"junk")
    (store / "index.json").write_text("{")
    answer = cloche.run("gc", "--output", "json", code=None)
    assert answer.code != 0
    assert answer.error["kind"] == "corrupt"
    assert junk.exists()


def test_a_quota_takes_what_was_used_longest_ago(cloche):
    cache = cloche.home / ".cache/cloche/packages"
    old, new = put(cache, b"o" * 600), put(cache, b"n" * 600)
    age(old, 1000)
    (cache / "partial").mkdir()
    for name, seconds in (("broken-off", 100_000), ("running", 10)):
        (cache / "partial" / name).write_text("x")
        age(cache / "partial" / name, seconds)
    cloche.run("workspace", "init")
    assert cloche.json("gc")["cache"]["removed_size"] == 1
    said = cloche.json("gc", "--quota", "1kB")["cache"]
    assert [one["path"] for one in said["removed"]] == [f"packages/blobs/sha256/{old.name}"]
    assert (new.exists(), (cache / "partial/running").exists()) == (True, True)
    cloche.write(".cloche/settings.yaml", "quota: 0\n")
    cloche.run("gc")
    assert not new.exists()


def test_a_quota_that_is_none_is_wrong_usage(cloche):
    answer = cloche.run("gc", "--quota", "much", "--output", "json", code=2)
    assert "'much' is no size" in answer.error["message"]
