"""Valid requests drawn from botocore's own service model, and every way to break one constraint of such a request."""

import base64
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import botocore.loaders
import botocore.model
from hypothesis import strategies as st

#: Texts of which at least one satisfies each pattern of the operations under test.
TEXTS = [
    "abc", "a", "File", "s3://bucket/prefix", "arn:aws:iam::123456789012:role/Someone", "sha256:" + "0" * 64,
    "SHA256:" + "aF" * 32, "1.0", "1.0.0", "text/csv", "fs-0123456789abcdef0", "ml.m5.large", "",
    "arn:aws:sagemaker:us-east-1:123456789012:algorithm/abc", "123456789012.dkr.ecr.us-east-1.amazonaws.com/i:latest",
    "arn:aws:sagemaker:us-east-1:aws:hub-content/hub/Model/abc",
    "arn:aws:sagemaker:us-east-1:123456789012:hub-content/hub/DataSet/abc/1.2.3",
    "arn:aws:sagemaker:us-east-1:123456789012:training-plan/a-training-plan", "sg-12345678", "subnet-1",
    "subnet-0123456789abcdef", "https://example.com/x",
    "arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/a",
    "arn:aws:sagemaker:us-east-1:123456789012:model-package-group/abc", "/opt/ml/checkpoints",
    "arn:aws:lambda:us-east-1:123456789012:function:f", "al2-ami-sagemaker-batch-gpu-470",
    "arn:aws:sagemaker:us-east-1:123456789012:hub-content/hub/JsonDoc/abc/1.2.3",
    "arn:aws:sagemaker:us-east-1:123456789012:model-package/abc/1", "/metrics", "123456789012", "8K", "123456",
]  # fmt: skip
ODD_TEXTS = ["\n", " ", "é€𝔘", "-", "a\u2028b", "\x00", "not valid!", "s3:/x", "\u0085"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A request with one place changed, and what has to be found: (path, constraint) of each violation."""

    request: dict[str, Any]
    expected: list[tuple[str, str]]


def model_of(service: str) -> botocore.model.ServiceModel:
    loader = botocore.loaders.Loader()
    return botocore.model.ServiceModel(loader.load_service_model(service, "service-2"), service)


def valid(shape: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a shape that break nothing; optional members come and go."""
    kind, facts = shape.type_name, shape.metadata
    if kind == "structure":
        required = {name: valid(shape.members[name], depth + 1) for name in shape.required_members}
        optional = {} if depth > 6 else {
            name: valid(member, depth + 1) for name, member in shape.members.items() if name not in required
        }  # fmt: skip
        return st.fixed_dictionaries(required, optional=optional)
    if kind == "list":
        lowest = facts.get("min", 0)
        return st.lists(valid(shape.member, depth + 1), min_size=lowest, max_size=min(facts.get("max", 2), lowest + 2))
    if kind == "map":
        lowest = facts.get("min", 0)
        return st.dictionaries(valid(shape.key), valid(shape.value, depth + 1), min_size=lowest, max_size=lowest + 2)
    if kind == "boolean":
        return st.booleans()
    if kind == "timestamp":
        return st.integers(0, 2_000_000_000)
    if kind in ("integer", "long"):
        return st.integers(facts.get("min", -1000), min(facts.get("max", 10**9), 10**9))
    if kind in ("float", "double"):
        return st.floats(facts.get("min", -1e6), facts.get("max", 1e6))
    if kind == "blob":
        lowest = facts.get("min", 0)
        sizes = {"min_size": lowest, "max_size": min(facts.get("max", 40), lowest + 40)}
        return st.binary(**sizes).map(lambda data: base64.b64encode(data).decode())
    texts = facts["enum"] if "enum" in facts else [text for text in TEXTS if not broken_constraints(shape, text)]
    assert texts, f"no valid text for {shape.name}: {facts}"
    return st.sampled_from(texts)


def broken_constraints(shape: Any, value: Any) -> list[str]:
    """The constraints of a scalar shape that a value breaks, by the plain reading of the model."""
    facts = shape.metadata
    found = []
    if shape.type_name == "string":
        if "enum" in facts:
            return (
                [] if value in facts["enum"] else [f"Member must satisfy enum value set: [{', '.join(facts['enum'])}]"]
            )
        if len(value) > facts.get("max", len(value)):
            found.append(f"Member must have length less than or equal to {facts['max']}")
        if len(value) < facts.get("min", 0):
            found.append(f"Member must have length greater than or equal to {facts['min']}")
        if "pattern" in facts and not _matches(facts["pattern"], value):
            found.append(f"Member must satisfy regular expression pattern: {facts['pattern']}")
    else:
        if value > facts.get("max", value):
            found.append(f"Member must have value less than or equal to {facts['max']}")
        if value < facts.get("min", value):
            found.append(f"Member must have value greater than or equal to {facts['min']}")
    return found


def all_constraints(shape: Any) -> str:
    """What is told about a bad element of a list or map of scalars."""
    facts = shape.metadata
    if "enum" in facts:
        return f"[Member must satisfy enum value set: [{', '.join(facts['enum'])}]]"
    word = "length" if shape.type_name == "string" else "value"
    told = [f"Member must have {word} less than or equal to {facts['max']}"] if "max" in facts else []
    told += [f"Member must have {word} greater than or equal to {facts['min']}"] if "min" in facts else []
    told += [f"Member must satisfy regular expression pattern: {facts['pattern']}"] if "pattern" in facts else []
    return f"[{', '.join(told)}]"


def breaks(shape: Any, request: dict[str, Any]) -> Iterator[Broken]:
    """Every way to break one constraint of a valid request."""
    for value, expected in _breaks(shape, request, ""):
        yield Broken(request=value, expected=expected)


_Change = tuple[Any, list[tuple[str, str]]]


def _breaks(shape: Any, value: Any, path: str) -> Iterator[_Change]:
    if shape.type_name == "structure":
        for name in shape.required_members:
            yield {k: v for k, v in value.items() if k != name}, [(_below(path, name), "Member must not be null")]
        for name, item in value.items():
            for changed, expected in _breaks(shape.members[name], item, _below(path, name)):
                yield {**value, name: changed}, expected
    elif shape.type_name == "list":
        yield from _length_breaks(shape, value, path, lambda size: [value[0]] * size if value else None)
        for index, item in enumerate(value):
            if _is_scalar(shape.member):
                for bad in _bad_scalars(shape.member):
                    told = f"Member must satisfy constraint: {all_constraints(shape.member)}"
                    yield [*value[:index], bad, *value[index + 1 :]], [(path, told)]
            else:
                for changed, expected in _breaks(shape.member, item, f"{path}.{index + 1}.member"):
                    yield [*value[:index], changed, *value[index + 1 :]], expected
    elif shape.type_name == "map":
        item = next(iter(value.values()), None)
        if item is not None:
            yield from _length_breaks(shape, value, path, lambda size: {f"k{number}": item for number in range(size)})
            for bad in _bad_scalars(shape.key):
                yield {bad: item}, [(path, f"Map keys must satisfy constraint: {all_constraints(shape.key)}")]
        for key in value if _is_scalar(shape.value) else ():
            for bad in _bad_scalars(shape.value):
                told = f"Map value must satisfy constraint: {all_constraints(shape.value)}"
                yield {**value, key: bad}, [(path, told)]
    else:
        for bad in _bad_scalars(shape):
            yield bad, [(path, constraint) for constraint in broken_constraints(shape, bad)]


def _length_breaks(shape: Any, value: Any, path: str, of_size: Callable[[int], Any]) -> Iterator[_Change]:
    highest, lowest = shape.metadata.get("max"), shape.metadata.get("min", 0)
    if highest is not None and highest < 1000 and of_size(highest + 1) is not None:
        yield of_size(highest + 1), [(path, f"Member must have length less than or equal to {highest}")]
    if lowest > 0:
        yield type(value)(), [(path, f"Member must have length greater than or equal to {lowest}")]


def _bad_scalars(shape: Any) -> Iterator[Any]:
    facts = shape.metadata
    if shape.type_name == "string":
        candidates = [*ODD_TEXTS, "", "a" * (facts.get("max", 0) + 1), "a\n" * (facts.get("max", 0) + 1)]
    elif shape.type_name in ("integer", "long", "float", "double"):
        candidates = [facts[which] + step for which, step in (("max", 1), ("min", -1)) if which in facts]
    else:
        candidates = []
    yield from (value for value in candidates if broken_constraints(shape, value))


def _is_scalar(shape: Any) -> bool:
    return shape.type_name not in ("structure", "list", "map")


def _below(path: str, name: str) -> str:
    lowered = name[0].lower() + name[1:]
    return f"{path}.{lowered}" if path else lowered


def _matches(pattern: str, text: str) -> bool:
    """Java's reading, for the few constructs that the operations under test use."""
    pattern = pattern.replace(r"\p{Alnum}", "a-zA-Z0-9")  # which stands in classes only
    if r"\p{" in pattern:
        wanted = {letter for letter in "LMZSNP" if rf"\p{{{letter}}}" in pattern}
        extra = "_.:/=+-@" if "@" in pattern else ""
        longest = re.search(r"\{0,(\d+)\}$", pattern)
        if longest is not None and len(text) > int(longest[1]):
            return False
        return all(unicodedata.category(character)[0] in wanted or character in extra for character in text)
    line_ends = "\n\r\u0085\u2028\u2029"
    pieces = re.compile(r"\[(?:\\.|[^\]])*\]|\\.|\.")  # a class, an escape, or a dot that means any letter
    dots = pieces.sub(lambda piece: f"[^{line_ends}]" if piece[0] == "." else piece[0], pattern)
    return re.fullmatch(dots, text, re.ASCII) is not None
