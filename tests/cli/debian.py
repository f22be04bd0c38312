"""A Debian archive in a folder, and base images with what dpkg has installed."""
import hashlib


class Archive:
    """One suite with the component main; nothing is signed, so sources say that it is trusted."""

    def __init__(self, folder, codename="bookworm"):
        self.folder = folder
        self.codename = codename
        self.paragraphs = []

    def add(self, name, version, *fields, architecture="amd64"):
        """A package without content; fields are further lines of its paragraph."""
        file = f"pool/main/{name}_{version.replace(':', '%3a')}_{architecture}.deb"
        data = f"{name} {version}".encode()
        (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / file).write_bytes(data)
        lines = [f"Package: {name}", f"Version: {version}", f"Architecture: {architecture}", f"Filename: {file}",
                 f"Size: {len(data)}", f"SHA256: {hashlib.sha256(data).hexdigest()}", *fields]
        self.paragraphs.append("\n".join(lines) + "\n")
        self.publish()
        return self

    def add_file(self, name, version, fields, write):
        """A real .deb, which `write` puts at the path that it is given; fields are lines of its control file."""
        path = self.folder / f"pool/main/{name}_{version}_amd64.deb"
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path)
        data = path.read_bytes()
        self.paragraphs.append(
            f"Package: {name}\nVersion: {version}\nArchitecture: amd64\n{fields}Filename: pool/main/{path.name}\n"
            f"Size: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n"
        )
        self.publish()
        return path

    def remove(self, name, version):
        start = f"Package: {name}\nVersion: {version}\n"
        self.paragraphs = [one for one in self.paragraphs if not one.startswith(start)]
        self.publish()

    def publish(self):
        suite = self.folder / "dists" / self.codename
        index = suite / "main/binary-amd64/Packages"
        index.parent.mkdir(parents=True, exist_ok=True)
        text = "\n".join(self.paragraphs)
        index.write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        (suite / "Release").write_text(
            f"Origin: Test\nSuite: stable\nCodename: {self.codename}\nDate: Sat, 11 Jul 2026 10:16:37 UTC\n"
            f"Architectures: amd64\nComponents: main\nSHA256:\n {digest} {len(text)} main/binary-amd64/Packages\n"
        )

    def sources(self, path):
        """Writes them into a file, and gives its path."""
        path.write_text(
            f"Types: deb\nURIs: file://{self.folder}\nSuites: {self.codename}\nComponents: main\nTrusted: yes\n"
        )
        return path


def base(*installed, codename="bookworm", identity="debian"):
    """The files of a base image: `installed` are paragraphs of dpkg's status without their Status."""
    status = "".join(f"{one.rstrip()}\nStatus: install ok installed\n\n" for one in installed)
    return {
        "etc/os-release": f"ID={identity}\nVERSION_CODENAME={codename}\nVERSION_ID=\"12\"\n",
        "var/lib/dpkg/status": status,
    }


def paragraph(name, version, *fields, architecture="amd64"):
    return "\n".join([f"Package: {name}", f"Version: {version}", f"Architecture: {architecture}", *fields])
