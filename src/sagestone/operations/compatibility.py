"""The page docs/compatibility.md, made from the tables by which requests are treated."""

from collections.abc import Iterator

from sagestone.domain.members.tables import TABLED, Treatment, request_members
from sagestone.operations.members import MEMBERS
from sagestone.operations.table import QUICK, WAITING

HEAD = """# Compatibility

Made by `tools/make_compatibility.py` from the tables by which requests are treated; do not edit.

Every request is checked against botocore's own service model first: required members, types, limits, patterns and
enumerations, all violations in one `ValidationException`. Members that the model does not know are ignored, as AWS
ignores them. Then each member is

- **honoured**: it is checked and acted on;
- **recorded**: it is checked, kept and given back, and nothing here acts on it (the note says why);
- **refused**: the request fails with a message that names the member and the reason.

A member that a newer service model brings, and that is not on this page, is refused until it is. An operation that is
not on this page answers `UnknownOperationException`. The rules across several members stand in
[algorithm-rules.md](algorithm-rules.md).

"not described" marks the members that DescribeAlgorithm does not give back, as on AWS; they stay stored, and
DescribeTrainingJob shows them.
"""


def compatibility_page() -> str:
    """The whole page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield HEAD
    yield "## Operations\n"
    yield "| Service | Operations |\n|---|---|"
    for service, title in (
        ("sagemaker", "SageMaker"),
        ("logs", "CloudWatch Logs"),
        ("monitoring", "CloudWatch"),
        ("kms", "KMS"),
        ("sts", "STS"),
        ("iam", "IAM"),
        ("sagestone", "Sagestone itself"),
    ):
        names = sorted(name for owner, name in {**QUICK, **WAITING} if owner == service)
        yield f"| {title} | {', '.join(names)} |"
    for operation in TABLED:
        yield f"\n## {operation}\n"
        yield "| Member | Treatment | Note |\n|---|---|---|"
        for member in request_members(operation):
            yield f"| {member.path} | {member.treatment} | {member.note} |"
    for (_, operation), members in MEMBERS.items():
        yield f"\n## {operation}\n"
        yield "| Member | Treatment | Note |\n|---|---|---|"
        for name, note in members.items():
            yield f"| {name} | {_treatment(note)} | {note} |"


def _treatment(note: str) -> Treatment:
    return "refused" if note.startswith("refused") else "honoured"
