"""Pages of a listing as endpoints write them, read quickly, with the same result as botocore's."""

from datetime import UTC, datetime
from typing import Any

import botocore.parsers
import botocore.session
import pytest

from sagestone.s3.remote_pages import QuickPages

OBJECT = (
    "<Contents><Key>a%0Ab&amp;</Key><LastModified>2026-11-26T10:00:00.000Z</LastModified>"
    "<ETag>&quot;abc&quot;</ETag><Size>5</Size><StorageClass>STANDARD</StorageClass></Contents>"
)
PAGES = {
    "two objects": f"<IsTruncated>true</IsTruncated>{OBJECT}{OBJECT}<NextContinuationToken>t</NextContinuationToken>",
    "none": "<IsTruncated>false</IsTruncated>",
    "an object without a size": "<Contents><Key>k</Key></Contents>",
    "a blank in the tag": f"{OBJECT.replace('<Contents>', '<Contents >')}<IsTruncated>false</IsTruncated>",
}


def _parse(factory: Any, body: str, status: int = 200) -> dict[str, Any]:
    shape = botocore.session.Session().get_service_model("s3").operation_model("ListObjectsV2").output_shape
    response = {"body": body.encode(), "headers": {}, "status_code": status}
    return dict(factory.create_parser("rest-xml").parse(response, shape))


@pytest.mark.parametrize("space", ["", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_read_as_botocore_reads_it(name: str, space: str) -> None:
    body = f'<?xml version="1.0"?><ListBucketResult{space}><Name>b</Name>{PAGES[name]}</ListBucketResult>'
    usual = _parse(botocore.parsers.ResponseParserFactory(), body)
    quick = _parse(QuickPages(botocore.parsers.ResponseParserFactory()), body)
    kept = ("Key", "Size", "ETag", "LastModified")
    for result in (usual, quick):
        found = [{name: each[name] for name in kept if name in each} for each in result.pop("Contents", [])]
        result["found"] = found
    assert quick == usual
    if name == "two objects":
        assert quick["found"][1]["LastModified"] == datetime(2026, 11, 26, 10, tzinfo=UTC)
        assert quick["NextContinuationToken"] == "t"


def test_an_error_is_left_to_botocore() -> None:
    body = "<Error><Code>NoSuchBucket</Code><Message>m</Message></Error>"
    parsed = _parse(QuickPages(botocore.parsers.ResponseParserFactory()), body, 404)
    assert parsed["Error"]["Code"] == "NoSuchBucket"
