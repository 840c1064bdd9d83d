"""Tiny images for tests, made without a registry or an engine: a static busybox and the files that a test gives.

`write_archive` writes what `docker save` would: a deterministic tar of manifest.json, a configuration and one layer.
"""

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sagestone.containers.machine import architecture as machine_architecture

#: What the image's /bin holds; every one is a link to busybox.
_APPLETS = (
    "sh ash cat cp mv rm mkdir rmdir ls ln echo printf true false sleep env pwd head tail wc sort uniq cut tr sed grep "
    "awk seq test [ expr dd od md5sum sha256sum base64 date hostname id kill ps touch chmod chown stat find xargs tee "
    "mkfifo mktemp tar gzip gunzip zcat nc httpd wget nslookup ping ip ifconfig netstat mount umount df free uname yes "
    "nproc timeout which basename dirname readlink realpath cmp diff hexdump sync usleep nohup setsid"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenImage:
    """An archive on disk and the id that every engine gives to it."""

    path: Path
    name: str
    id: str  # sha256:<64 hex> of the configuration


def busybox() -> Path:
    """The static busybox of this machine; fails with the package that has it."""
    for candidate in ("/bin/busybox", "/usr/bin/busybox", shutil.which("busybox")):
        if candidate and Path(candidate).is_file() and _is_static(Path(candidate)):
            return Path(candidate)
    raise FileNotFoundError("tests need a static busybox: apt-get install busybox-static")


def write_archive(
    path: Path,
    name: str,
    files: Mapping[str, bytes],
    *,
    entrypoint: Sequence[str] | None = None,
    cmd: Sequence[str] | None = None,
    env: Mapping[str, str] | None = None,
    workdir: str = "",
    labels: Mapping[str, str] | None = None,
    user: str = "",
    architecture: str | None = None,
    shell: bool = True,
    links: Mapping[str, str] | None = None,
    config: Mapping[str, object] | None = None,
) -> WrittenImage:
    """Write a docker archive of an image called `name` (`repo:tag`) with `files` by absolute path, mode 0755.

    `links` are symbolic links by absolute path. With `shell` the image has busybox and its applets in /bin, a /tmp and
    an /etc/passwd.
    """
    variables = {"PATH": "/usr/local/bin:/usr/bin:/bin", **(env or {})}
    whole: dict[str, object] = {"Env": [f"{key}={value}" for key, value in variables.items()], **(config or {})}
    whole |= {"Entrypoint": list(entrypoint)} if entrypoint is not None else {}
    whole |= {"Cmd": list(cmd)} if cmd is not None else {}
    whole |= {"WorkingDir": workdir} if workdir else {}
    whole |= {"Labels": dict(labels)} if labels else {}
    whole |= {"User": user} if user else {}
    layer = _layer(files, links or {}, shell=shell)
    return write_layers(path, name, [layer], config=whole, architecture=architecture or machine_architecture())


def write_layers(
    path: Path,
    name: str,
    layers: Sequence[bytes],
    *,
    config: Mapping[str, object] | None = None,
    architecture: str = "",
) -> WrittenImage:
    """Write a docker archive of an image that consists of these uncompressed layers, the lowest first."""
    image = {
        "architecture": architecture or machine_architecture(),
        "os": "linux",
        "created": "2020-01-01T00:00:00Z",
        "config": dict(config or {}),
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest() for layer in layers]},
        "history": [{"created": "2020-01-01T00:00:00Z", "created_by": "tests/images.py"} for _ in layers],
    }
    document = json.dumps(image, sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(document).hexdigest()
    names = [f"layer{number}.tar" for number, _ in enumerate(layers)]
    manifest = [{"Config": f"{digest}.json", "RepoTags": [name], "Layers": names}]
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        _add_file(archive, "manifest.json", json.dumps(manifest).encode(), 0o644)
        _add_file(archive, f"{digest}.json", document, 0o644)
        for file, layer in zip(names, layers, strict=True):
            _add_file(archive, file, layer, 0o644)
    return WrittenImage(path=path, name=name, id=f"sha256:{digest}")


def script(text: str) -> bytes:
    """A program for /bin/sh from its lines; leading and trailing blank lines do not count."""
    return b"#!/bin/sh\n" + text.strip("\n").encode() + b"\n"


def _layer(files: Mapping[str, bytes], more_links: Mapping[str, str], *, shell: bool) -> bytes:
    contents: dict[str, bytes] = {}
    links: dict[str, str] = {}
    if shell:
        contents["bin/busybox"] = busybox().read_bytes()
        links = {f"bin/{applet}": "busybox" for applet in _APPLETS.split()}
        contents["etc/passwd"] = b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
        contents["etc/group"] = b"root:x:0:\nnogroup:x:65534:\n"
    contents |= {file.lstrip("/"): content for file, content in files.items()}
    links |= {link.lstrip("/"): target for link, target in more_links.items()}
    directories = {str(parent) for file in (*contents, *links) for parent in Path(file).parents} - {"."}
    directories |= {"tmp", "root"}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as layer:
        for directory in sorted(directories):
            entry = _entry(directory, 0o1777 if directory == "tmp" else 0o755)
            entry.type = tarfile.DIRTYPE
            layer.addfile(entry)
        for file in sorted(contents):
            _add_file(layer, file, contents[file], 0o644 if file.startswith("etc/") else 0o755)
        for link in sorted(links.keys() - contents.keys()):
            entry = _entry(link, 0o777)
            entry.type, entry.linkname = tarfile.SYMTYPE, links[link]
            layer.addfile(entry)
    return buffer.getvalue()


def _add_file(archive: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = _entry(name, mode)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _entry(name: str, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.mtime = mode, 1577836800
    return entry


def _is_static(program: Path) -> bool:
    listing = subprocess.run([program, "--list"], capture_output=True, text=True, check=False)
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return listing.returncode == 0 and "=>" not in linked.stdout
