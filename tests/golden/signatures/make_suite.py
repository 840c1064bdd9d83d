"""Writes suite.json from a checkout of awslabs/aws-c-auth, which carries AWS's test suite for signature version 4.

    python tests/golden/signatures/make_suite.py CHECKOUT

Only what is to be signed and the signatures that AWS gives are taken: facts, in a form of our own. Left out are the
vectors that sign the path as it is sent (S3 alone does that, see the examples of its reference) and the one whose
header goes on in a second line, which HTTP no longer has.
"""

import json
import sys
from pathlib import Path


def main(checkout: Path) -> None:
    """Read every vector and write the table beside this file."""
    vectors = []
    for directory in sorted((checkout / "tests" / "aws-signing-test-suite" / "v4").iterdir()):
        if not directory.name.endswith(("-unnormalized", "-multiline")):
            vectors.append(read_vector(directory))
    target = Path(__file__).with_name("suite.json")
    target.write_text(json.dumps(vectors, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")


def read_vector(directory: Path) -> dict[str, object]:
    """One vector: the request as it is sent, signed in its headers and in its URL."""
    return {
        "name": directory.name,
        "in_headers": read_request(directory / "header-signed-request.txt"),
        "in_url": read_request(directory / "query-signed-request.txt"),
    }


def read_request(path: Path) -> dict[str, object]:
    """Method, target, headers in their order and body."""
    head, _, body = path.read_text(encoding="utf-8").replace("\r\n", "\n").partition("\n\n")
    first, *lines = head.split("\n")
    method, rest = first.split(" ", 1)
    headers = [line.partition(":")[::2] for line in lines if line]
    return {"method": method, "target": rest.removesuffix(" HTTP/1.1"), "headers": headers, "body": body}


main(Path(sys.argv[1]))
