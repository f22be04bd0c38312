"""A conda channel made by a test: records and small real packages, in a folder or behind HTTP."""
import bz2
import hashlib
import http.server
import io
import json
import shutil
import subprocess
import tarfile
import threading
import zipfile


class Channel:
    """Packages by subdir; write() puts repodata.json beside them."""

    def __init__(self, folder):
        self.folder = folder
        self.records = {"linux-64": {}, "noarch": {}}
        for subdir in self.records:
            (folder / subdir).mkdir(parents=True)
        self.write()

    @property
    def url(self):
        return self.folder.as_uri()

    def add(self, name, version, depends=(), files=None, subdir="noarch", build="0", number=0, large=False, **more):
        """A package whose archive has `files` (path -> text or bytes). A large one is a .conda, which is packed and unpacked in less time."""
        stem = f"{name}-{version}-{build}"
        large = large and shutil.which("zstd")
        file_name = stem + (".conda" if large else ".tar.bz2")
        record = {"name": name, "version": version, "build": build, "build_number": number, "depends": list(depends)}
        record.update({"subdir": subdir, "license": "MIT", **more})
        info, files = members_of(record, files or {f"share/{name}": f"{name} {version}\n"})
        data = conda_archive(stem, info, files) if large else bz2.compress(tar_of({**info, **files}))
        (self.folder / subdir / file_name).write_bytes(data)
        hashes = {"sha256": hashlib.sha256(data).hexdigest(), "md5": hashlib.md5(data).hexdigest(), "size": len(data)}
        self.records[subdir][file_name] = {**record, **hashes}
        self.write()
        return self

    def write(self):
        for subdir, packages in self.records.items():
            by_format = {key: {name: one for name, one in packages.items() if name.endswith(".conda") == (key != "packages")} for key in ("packages", "packages.conda")}
            data = {"info": {"subdir": subdir}, **by_format, "repodata_version": 1}
            (self.folder / subdir / "repodata.json").write_text(json.dumps(data))


def members_of(index, files):
    """What a package says of itself, and its files."""
    files = {path: (text if isinstance(text, bytes) else text.encode()) for path, text in files.items()}
    paths = [
        {"_path": path, "path_type": "hardlink", "sha256": hashlib.sha256(data).hexdigest(), "size_in_bytes": len(data)}
        for path, data in files.items()
    ]
    info = {"info/index.json": json.dumps(index).encode(), "info/paths.json": json.dumps({"paths": paths, "paths_version": 1}).encode()}
    return info, files


def tar_of(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, data in members.items():
            member = tarfile.TarInfo(path)
            member.size = len(data)
            member.mode = 0o755 if data[:4] in (b"\x7fELF", b"#!/b") else 0o644
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def conda_archive(stem, info, files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("metadata.json", '{"conda_pkg_format_version": 2}')
        for kind, members in (("pkg", files), ("info", info)):
            packed = subprocess.run(["zstd", "-1", "-q", "-c"], input=tar_of(members), capture_output=True, check=True).stdout
            archive.writestr(f"{kind}-{stem}.tar.zst", packed)
    return out.getvalue()


class Server:
    """Serves a folder over HTTP; counts what is asked for; can be told to fail."""

    def __init__(self, folder):
        self.requests = []
        self.status = 0  # answer everything with it
        outer = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments):
                super().__init__(*arguments, directory=str(folder))

            def do_GET(self):
                outer.requests.append(self.path)
                if outer.status:
                    self.send_error(outer.status)
                else:
                    super().do_GET()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
