"""A read-only image registry: `python -m tests.registry ARCHIVE` serves the image of one docker archive.

It listens on 127.0.0.1:5000, to be run inside an engine's own network namespace, gives that image for every name and
tag, prints the manifest's digest when it listens, and ends when its standard input does.
"""

import gzip
import hashlib
import json
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def main(archive: str) -> None:
    """Serve until standard input ends."""
    blobs, manifest = _contents(archive)
    digest = _digest(manifest)

    class Registry(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def _answer(self, *, body: bool) -> None:
            wanted = self.path.rpartition("/")[2]
            if self.path.rstrip("/") == "/v2":
                content, kind = b"{}", "application/json"
            elif "/manifests/" in self.path and wanted in ("1", digest):
                content, kind = manifest, _MANIFEST
            elif "/blobs/" in self.path and wanted in blobs:
                content, kind = blobs[wanted], "application/octet-stream"
            else:
                self.send_error(404, "manifest unknown")
                return
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
            self.send_header("Docker-Content-Digest", _digest(content))
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the tests read what the engine says."""

    server = ThreadingHTTPServer(("127.0.0.1", 5000), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(digest + "\n")
    sys.stdout.flush()
    sys.stdin.read()


def _contents(archive: str) -> tuple[dict[str, bytes], bytes]:
    with tarfile.open(archive) as tar:
        files = {member.name: member for member in tar.getmembers()}

        def read(name: str) -> bytes:
            content = tar.extractfile(files[name])
            assert content is not None
            return content.read()

        entry = json.loads(read("manifest.json"))[0]
        config = read(entry["Config"])
        layers = [gzip.compress(read(layer), 1, mtime=0) for layer in entry["Layers"]]
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": {"mediaType": _CONFIG, "size": len(config), "digest": _digest(config)},
        "layers": [{"mediaType": _LAYER, "size": len(layer), "digest": _digest(layer)} for layer in layers],
    }
    return {_digest(blob): blob for blob in [config, *layers]}, json.dumps(manifest).encode()


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    main(sys.argv[1])
