"""Fetches packages with each registry's own client, and unpacks them."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path


class Problem(Exception):
    """Why the corpus cannot be made, in words for whoever runs this."""


class Packages:
    """Packages below a folder, which are fetched once and kept."""

    def __init__(self, folder, root):
        self.folder = folder
        self.root = root
        self.fetched = {}
        folder.mkdir(parents=True, exist_ok=True)

    def debian(self, name):
        """The files of a Debian package, in the version of this machine's release."""
        return self._get("debian", name, ["apt-get", "download", "--quiet", name], _unpack_deb)

    def wheel(self, name, version):
        """The files of a wheel."""
        client = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        client += ["--only-binary=:all:", f"{name}=={version}"]
        return self._get("pypi", f"{name}-{version}", client, _unpack_zip)

    def npm(self, name, version):
        """The files of an npm package."""
        folder = name.lstrip("@").replace("/", "-") + "-" + version
        client = ["npm", "pack", "--silent", f"{name}@{version}"]
        return self._get("npm", folder, client, _unpack_tar)

    def crates(self):
        """The folders of all crates that the lock file names, by name and version."""
        client = [os.environ.get("CARGO", "cargo"), "metadata", "--locked", "--format-version=1"]
        metadata = json.loads(_run(client, self.root))
        crates = {}
        for package in metadata["packages"]:
            if package["source"]:
                key = f"{package['name']}-{package['version']}"
                crates[key] = Path(package["manifest_path"]).parent
        digest = hashlib.sha256("\n".join(sorted(crates)).encode()).hexdigest()
        self._note("cargo", "crates of Cargo.lock", digest, f"{len(crates)} crates")
        return dict(sorted(crates.items()))

    def _get(self, registry, name, client, unpack):
        folder = self.folder / registry / name
        archives = folder / "archive"
        files = folder / "files"
        if not files.exists():
            shutil.rmtree(folder, ignore_errors=True)
            archives.mkdir(parents=True)
            print(f"fetching {name} ({registry})", file=sys.stderr)
            _run(client, archives)
            unpack(_only(archives, name), folder / "half")
            # Only what was unpacked to its end gets its name.
            (folder / "half").rename(files)
        archive = _only(archives, name)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        self._note(registry, name, digest, archive.name)
        return files

    def _note(self, registry, name, digest, file):
        note = {"registry": registry, "name": name, "file": file, "sha256": digest}
        self.fetched[f"{registry} {name}"] = note


def _only(folder, name):
    archives = [path for path in folder.iterdir() if path.is_file()]
    if len(archives) != 1:
        raise Problem(f"{name}: its client fetched {len(archives)} files, not one")
    return archives[0]


def _run(command, folder):
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise Problem(f"`{command[0]}` is missing: install it; it ships text of the corpus") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise Problem(f"`{' '.join(command)}` failed: {said}")
    return done.stdout


def _unpack_deb(archive, folder):
    _run(["dpkg-deb", "--extract", str(archive), str(folder)], archive.parent)


def _unpack_zip(archive, folder):
    with zipfile.ZipFile(archive) as wheel:
        wheel.extractall(folder)


def _unpack_tar(archive, folder):
    with tarfile.open(archive) as package:
        package.extractall(folder, filter="data")
