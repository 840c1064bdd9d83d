"""The parsers of archives: model.tar.gz and its like, image layers, image archives."""

import gzip
import io
import shutil
import tarfile
import tempfile
from pathlib import Path
from random import Random

from sagestone.archive.errors import UnsafeArchive
from sagestone.archive.layer import unpack_layer
from sagestone.archive.reader import TarReader
from sagestone.archive.tree import Tree
from sagestone.archive.unpack import unpack
from sagestone.containers.images.archive import archived_images
from sagestone.containers.images.blobs import open_blobs
from sagestone.containers.images.room import Room
from sagestone.containers.runtime import RuntimeFailure
from tests.fuzz.parser import Parser

_LIMIT = 1 << 20
_NAMED = (tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE)


def _sealed(random: Random, data: bytes) -> bytes:
    """The same with the checksums of its headers put right, mostly: else nothing behind them is ever read."""
    if random.random() < 0.1:
        return data
    whole = bytearray(data)
    for at in range(0, len(whole) - 511, 512):
        if whole[at + 257 : at + 262] == b"ustar":
            whole[at + 148 : at + 156] = b" " * 8
            whole[at + 148 : at + 156] = b"%06o\0 " % sum(whole[at : at + 512])
    return bytes(whole)


def _read(random: Random, data: bytes) -> None:
    data = _sealed(random, data)
    reader = TarReader(io.BytesIO(data), max_members=100)
    for _ in reader.members():
        if random.random() < 0.7:
            for _ in reader.chunks():
                pass


def _unpack(random: Random, data: bytes) -> None:
    data = _sealed(random, data)
    with tempfile.TemporaryDirectory(prefix="sagestone-fuzz-") as scratch:
        target = Path(scratch) / "target"
        target.mkdir()
        try:
            unpack(io.BytesIO(gzip.compress(data, 1) if random.random() < 0.2 else data), target, _LIMIT, 100)
        finally:
            assert [path.name for path in Path(scratch).iterdir()] == ["target"], "something was made outside"


def _layer(random: Random, data: bytes) -> None:
    data = _sealed(random, data)
    scratch = Path(tempfile.mkdtemp(prefix="sagestone-fuzz-"))
    target = scratch / "target"
    target.mkdir()
    (target / "lower").mkdir()
    (target / "lower" / "file").write_text("below")
    tree = Tree(target)
    try:
        unpack_layer(io.BytesIO(data), tree, keep_owners=False)
    finally:
        tree.close()
        made = [path.name for path in scratch.iterdir()]
        shutil.rmtree(scratch)
        assert made == ["target"], "something was made outside"


def _image(random: Random, data: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="sagestone-fuzz-") as scratch:
        path = Path(scratch) / "image.tar"
        path.write_bytes(_sealed(random, data))
        with open_blobs(path, Path(scratch), Room(Path(scratch), 1)) as blobs:
            archived_images(blobs, "stem")


def _tar(style: int, *entries: tuple[str, bytes, bytes, str]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=style) as tar:
        for name, kind, content, link in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.size, entry.linkname, entry.mode = kind, len(content), link, 0o755
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue().rstrip(b"\0") + bytes(1024)


def _seeds() -> list[bytes]:
    entries = [
        ("model", tarfile.DIRTYPE, b"", ""),
        ("model/weights", tarfile.REGTYPE, b"w" * 700, ""),
        ("model/link", tarfile.SYMTYPE, b"", "weights"),
        ("model/copy", tarfile.LNKTYPE, b"", "model/weights"),
        ("lower/.wh.file", tarfile.REGTYPE, b"", ""),
        ("é" * 80 + "/" + "n" * 90, tarfile.REGTYPE, b"1", ""),
    ]
    styles = (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)
    odd = [(str(number), kind, b"", "0") for number, kind in enumerate(_NAMED)]
    return [_tar(style, *entries) for style in styles] + [_tar(tarfile.USTAR_FORMAT, *odd)]


def _images() -> list[bytes]:
    digest = "0" * 64
    configuration = b'{"architecture":"amd64","os":"linux","config":{"Env":["A=b"]},"rootfs":{"diff_ids":[]}}'
    manifest = f'[{{"Config":"{digest}.json","RepoTags":["a:1"],"Layers":[]}}]'.encode()
    loose = b'[{"Config":"config","RepoTags":["a:1"],"Layers":[]}]'
    index = f'{{"manifests":[{{"digest":"sha256:{digest}","annotations":{{}}}}]}}'.encode()
    files = [
        (("manifest.json", manifest), (f"{digest}.json", configuration)),
        (("manifest.json", loose), ("config", configuration)),
        (("index.json", index), (f"blobs/sha256/{digest}", b'{"config":{"digest":1}}')),
    ]
    return [_tar(tarfile.USTAR_FORMAT, *((name, b"0", content, "") for name, content in each)) for each in files]


_WORDS = [
    b"../",
    b"/",
    b".wh.",
    b".wh..wh..opq",
    b"ustar\x0000",
    b"ustar  \0",
    b"30 size=99999999999999999999\n",
    b"12 path=../x\n",
    b"\x80\0\0\0\0\0\0\0\0\0\0\x01",
    b"\xff" * 12,
    b"77777777777\0",
]

ARCHIVE_PARSERS = (
    Parser(name="tar", seeds=_seeds(), words=_WORDS, read=_read, refuses=(UnsafeArchive,)),
    Parser(name="tar-unpacked", seeds=_seeds(), words=_WORDS, read=_unpack, refuses=(UnsafeArchive,), weight=0.1),
    Parser(name="image-layer", seeds=_seeds(), words=_WORDS, read=_layer, refuses=(UnsafeArchive,), weight=0.1),
    Parser(
        name="image-archive",
        seeds=_images(),
        words=[b'"', b"{}", b"[]", b"null", b"1"],
        read=_image,
        refuses=(RuntimeFailure,),
        weight=0.1,
    ),
)
