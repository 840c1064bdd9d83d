"""`model.tar.gz`: our packer beside tarfile's default, on a tree like a model's."""

import random
import tarfile
import tempfile
import time
from pathlib import Path

from bench.report import Figure, median, ratio, show
from sagestone.archive.pack import pack_tree

_ROUNDS = 3


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "model"
        size = _make_model(root)
        ours, theirs = [], []
        for _ in range(_ROUNDS):
            ours.append(size / _pack(root, Path(scratch) / "ours.tar.gz") / 1e6)
            theirs.append(size / _tarfile(root, Path(scratch) / "theirs.tar.gz") / 1e6)
        larger = (Path(scratch) / "ours.tar.gz").stat().st_size / (Path(scratch) / "theirs.tar.gz").stat().st_size
    show(
        "model.tar.gz",
        [
            Figure(name="tarfile w:gz (default)", value=median(theirs), unit="MB/s"),
            Figure(name="our packer", value=median(ours), unit="MB/s"),
            ratio("our packer / tarfile's default", median(ours), median(theirs), 20),
            Figure(name="size, ours / tarfile's", value=larger, unit="x"),
        ],
    )


def _make_model(root: Path) -> int:
    """96 MB: floats of a small range, text, and many small files; its size in bytes."""
    root.mkdir()
    numbers = random.Random(0)
    weights = b"".join(numbers.randbytes(3) + b"\x3f" for _ in range(1 << 20))
    (root / "weights.bin").write_bytes(weights * 16)
    words = [numbers.randbytes(4).hex() for _ in range(2000)]
    (root / "vocabulary.txt").write_text("\n".join(numbers.choice(words) for _ in range(3_000_000)))
    small = root / "small"
    small.mkdir()
    for number in range(300):
        (small / f"{number}.json").write_text(f'{{"number": {number}}}' * 50)
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


def _pack(root: Path, target: Path) -> float:
    began = time.perf_counter()
    with target.open("wb") as out:

        def write(data: bytes) -> None:
            out.write(data)

        pack_tree([root], write, limit_bytes=1 << 40)
    return time.perf_counter() - began


def _tarfile(root: Path, target: Path) -> float:
    began = time.perf_counter()
    with target.open("wb") as out, tarfile.open(fileobj=out, mode="w:gz") as tar:
        tar.add(root, arcname=".")
    return time.perf_counter() - began
