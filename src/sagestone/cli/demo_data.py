"""The demo's data: 1,797 handwritten digits that ship inside scikit-learn, as three parts in S3."""

import gzip
import random
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagestone.image_build.build import wheel_files
from sagestone.image_build.recipe import Recipe
from sagestone.image_build.wheels import install_wheels

BUCKET = "sagestone-demo"
_INSIDE = "sklearn/datasets/data/digits.csv.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Digits:
    """Rows of 64 grey values with the digit they show, split once and for all."""

    train: Sequence[tuple[int, str]]
    validation: Sequence[tuple[int, str]]
    batch: Sequence[tuple[int, str]]


def read_digits(recipe: Recipe, cache: Path) -> Digits:
    """The data set, from the wheel that the image was built with (fetched once where the image came ready-made)."""
    kept = cache / "digits.csv.gz"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(_fetch(recipe, cache))
    rows = []
    for line in gzip.decompress(kept.read_bytes()).decode().splitlines():
        *pixels, digit = line.split(",")
        rows.append((int(float(digit)), ",".join(f"{float(pixel):g}" for pixel in pixels)))
    random.Random(0).shuffle(rows)
    return Digits(train=rows[:1200], validation=rows[1200:1500], batch=rows[1500:])


def _fetch(recipe: Recipe, cache: Path) -> bytes:
    try:
        layer = wheel_files(recipe, cache)
        with tarfile.open(layer) as tar:
            name = next(name for name in tar.getnames() if name.endswith(_INSIDE))
            member = tar.extractfile(name)
            assert member is not None
            return member.read()
    except FileNotFoundError:
        with tempfile.TemporaryDirectory() as scratch:
            wheel = [pin for pin in recipe.requirements if pin.startswith("scikit-learn")]
            install_wheels(wheel, "3.11", Path(scratch))
            return (Path(scratch) / _INSIDE).read_bytes()


def upload_digits(s3: Any, digits: Digits, advance: Callable[[], None]) -> int:
    """Put the three parts under s3://sagestone-demo/digits/; the number of objects. `advance` is called for each."""
    parts = {f"digits/train/part-{n}.csv": _labelled(digits.train[n::4]) for n in range(4)}
    parts["digits/validation/part-0.csv"] = _labelled(digits.validation)
    half = len(digits.batch) // 2
    parts["digits/batch/a.csv"] = "".join(f"{row}\n" for _, row in digits.batch[:half])
    parts["digits/batch/b.csv"] = "".join(f"{row}\n" for _, row in digits.batch[half:])
    s3.create_bucket(Bucket=BUCKET)
    for key, text in parts.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode())
        advance()
    return len(parts)


def read_predictions(s3: Any, digits: Digits) -> list[tuple[int, int]]:
    """Truth and prediction of every batch row, in order."""
    answers: list[int] = []
    for name in ("a", "b"):
        body = s3.get_object(Bucket=BUCKET, Key=f"predictions/{name}.csv.out")["Body"].read()
        answers += [int(line) for line in body.decode().split()]
    return [(truth, answer) for (truth, _), answer in zip(digits.batch, answers, strict=True)]


def _labelled(rows: Sequence[tuple[int, str]]) -> str:
    return "".join(f"{digit},{row}\n" for digit, row in rows)
