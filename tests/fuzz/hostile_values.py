"""Requests with something in them that no client sends."""

from collections.abc import Callable
from random import Random
from typing import Any

from tests.fuzz.documents import Raw, Twice

_DEPTH = 10_000
_MEGABYTE = 1 << 20

#: What is put anywhere in a document.
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1.5, -0.0, 2**31, 2**63, -(2**63) - 1, 2**64, 1e308, -1e308, 1e300, 5e-324,
    Raw(b"1e400"), Raw(b"-1e400"), Raw(b"NaN"), Raw(b"Infinity"), Raw(b"-Infinity"), Raw(b"9" * 400), Raw(b"-0"),
    Raw(b"1" + b"0" * 5000), Raw(b"0." + b"0" * 5000 + b"1"), Raw(b"1e-400"), Raw(b"01"), Raw(b"+1"), Raw(b".5"),
    Raw(b'"\\ud800"'), Raw(b'"\\udfff\\ud800"'), Raw(b'"\xed\xa0\x80"'), Raw(b'"\xff"'), Raw(b'"\x00"'), Raw(b"'a'"),
    Raw(b'"\\u0000"'), Raw(b"[" * _DEPTH + b"]" * _DEPTH), Raw(b'{"a":' * _DEPTH + b"1" + b"}" * _DEPTH),
    Raw(b"[" * 900 + b"]" * 900), Raw(b'{"Key":' * 500 + b"1" + b"}" * 500), Raw(b"[" * _DEPTH), Raw(b"{}{}"), Raw(b""),
    [], {}, [[]], [{}], [None], {"": ""}, {"a": None}, ["a"] * 2000, [{}] * 300,
    {str(number): "" for number in range(500)},
    "", " ", "\n", "\x00", "\x7f", "\u2028", "\ufeff", "\U0010ffff", "é" * 300, "a" * 5000, "a-" * 2500, "\\",
    "../../etc/passwd",
    "%s%n%d", "{}", "${jndi:x}", "'; DROP TABLE algorithms; --", "<a>&b;", "s3://", "s3:///", "s3://b", "s3://b/\x00",
    "https://[",
    "https://[::1]:x/b/k", "s3://b/" + "k" * 2000, "arn:aws:sagemaker:us-east-1:123456789012:",
    "arn:aws:sagemaker:::model/x",
    "arn:" + ":" * 500, "arn:aws:sagemaker:us-east-1:123456789012:model-package/a/99999999999999999999", "(a+)+$",
    "(a|a)*b",
    "(" * 500, "[" * 500, "(?P<a>" * 50, "(.*)" * 20 + "x", "a{1000}{1000}", "(?i)(?V1)[[a]--[b]]", "[" * 40_000,
    '{"a":' * 30_000,
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}',
    '{"Statement": [1]}',
    "9" * 5000, "-" + "9" * 5000, "1e999", "nan", "inf", "0x10", "1_000", "٣", "true", "True", "1970-01-01T00:00:00Z",
    "-1", "99999-01-01",
    -62135596800.5, 253402300800, -1e18, 9e15, 1e10, "sha256:" + "f" * 64, "a@sha256:" + "0" * 64, "a:b:c",
    "localhost:99999/x",
    "ml.m5.large", "ml.nothing.large", "File", "fuzz-1", "fuzz-2", "alias/fuzz", "alias/aws/s3", "*", "?", "/", "AQ==",
    "!!", "A" * 5461,
)  # fmt: skip

_Change = Callable[[Random, Any], Any]


def spoiled(random: Random, document: Any) -> Any:
    """The document with one to four places changed; now and then it is all something else."""
    if random.random() < 0.02:
        return random.choice(_VALUES)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        document = _somewhere(random, document, _other)
    if random.random() < 0.004:
        document = _somewhere(random, document, lambda _, value: "m" * _MEGABYTE)
    return document


def _somewhere(random: Random, value: Any, change: _Change) -> Any:
    """Go down by chance, and change what is there."""
    if isinstance(value, dict) and value and random.random() < 0.85:
        name = random.choice(list(value))
        return {**value, name: _somewhere(random, value[name], change)}
    if isinstance(value, list) and value and random.random() < 0.85:
        at = random.randrange(len(value))
        return [*value[:at], _somewhere(random, value[at], change), *value[at + 1 :]]
    return change(random, value)


def _other(random: Random, value: Any) -> Any:
    kind = random.random()
    if isinstance(value, dict) and kind < 0.6:
        if kind < 0.2 and value:
            gone = random.choice(list(value))
            return {name: each for name, each in value.items() if name != gone}
        if kind < 0.35 and value:
            name = random.choice(list(value))
            return Twice(value, name, random.choice((value[name], random.choice(_VALUES))))
        return {
            **value,
            random.choice(("Unknown", "", "__proto__", "é", "n" * 300, "Key", "*")): random.choice(_VALUES),
        }
    if isinstance(value, list) and value and kind < 0.5:
        return value * random.choice((2, 3, 50, 400))
    if isinstance(value, str) and kind < 0.4:
        at = random.randint(0, len(value))
        return (
            value[:at]
            + random.choice(("\x00", "é", "/", "\n", "..", " ", "%", ":", "*", "a" * 300, "\ud800"))
            + value[at:]
        )
    if isinstance(value, int | float) and kind < 0.4:
        return random.choice((value + 1, value * 1e6, -value, float(value), str(value), value * 2**62))
    return random.choice(_VALUES)
