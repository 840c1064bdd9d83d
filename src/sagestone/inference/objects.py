"""An input object and where its output goes, and why one of them may fail."""

from collections.abc import Sequence
from dataclasses import dataclass

from sagestone.domain.failure import Fault
from sagestone.s3.uri import LONGEST_KEY_BYTES, S3Uri


@dataclass(frozen=True, slots=True, kw_only=True)
class InputObject:
    """One object of this instance, `number` (from 0) in its order."""

    number: int
    uri: S3Uri
    size: int
    output: S3Uri


class ObjectFailed(Exception):
    """An object has no output; the text says why and names it, `log` is what the data log gets to show about it."""

    def __init__(self, fault: Fault, text: str, log: Sequence[str]) -> None:
        super().__init__(text)
        self.fault, self.log = fault, tuple(log)


def output_of(key: str, prefix: str, output: S3Uri) -> S3Uri:
    """Where the output of `key` goes: below `output`, by the path that follows the last `/` of `prefix`, plus `.out`.

    `s3://b/in/data.csv` read by the prefix `in/`, `in/da` or `in/data.csv` gives `<output>/data.csv.out`.
    """
    return S3Uri(output.bucket, directory_key(output) + key[prefix.rfind("/") + 1 :] + ".out")


def check_output(source: InputObject) -> None:
    """Raises ObjectFailed where no store can keep the output of an object under its name."""
    size = len(source.output.key.encode(errors="surrogatepass"))
    if size > LONGEST_KEY_BYTES:
        text = (
            f"{source.uri}: the key of its output would have {size} bytes, and S3 takes at most {LONGEST_KEY_BYTES}: "
            "give a shorter S3OutputPath, or the object a shorter name"
        )
        raise ObjectFailed("client", text, (f"ClientError: {text}",))


def directory_key(place: S3Uri) -> str:
    """The key of a place below which others lie: with a slash at its end, unless it is a whole bucket."""
    return place.key if not place.key or place.key.endswith("/") else place.key + "/"
