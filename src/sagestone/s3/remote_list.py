"""Lists a remote prefix without botocore, which is slow to load and slow to read pages.

As with `remote_plain`, whatever is not as expected ends the attempt, and the caller goes on in the usual way, after the
last key that came.
"""

import http.client
import ssl
from collections.abc import Generator, Iterable, Mapping
from urllib.parse import unquote
from xml.etree import ElementTree

from sagestone.s3.client import ObjectInfo, in_order, level_key
from sagestone.s3.remote_pages import page_objects
from sagestone.s3.remote_sign import Signer
from sagestone.s3.uri import S3Uri

_PATIENCE_SECONDS = 30
_SIGNED_SECONDS = 300


class QuickList:
    """A listing as pages come: iterate, then look at `is_whole`, and at `last` where it is not.

    `more` are further parameters of ListObjectsV2; with a delimiter it is a `level` (`s3.client`).
    """

    def __init__(self, signer: Signer, prefix: S3Uri, more: Mapping[str, str] | None = None) -> None:
        self._signer, self._prefix, self._more = signer, prefix, more or {}
        self.is_whole = False
        self.last = ""  # the last key, or what keys begin with, that was given

    def __iter__(self) -> Generator[ObjectInfo | str, None, None]:
        connection = self._connection()
        try:
            goes_on = self._ask(connection, "")
            while goes_on:
                try:
                    page, following = self._page(connection)
                    # The server makes the next page while this one is taken apart.
                    goes_on = following is not None and self._ask(connection, following)
                    found = _objects(page)
                except (OSError, ValueError, http.client.HTTPException, ElementTree.ParseError):
                    return
                for each in found:
                    self.last = level_key(each)
                    yield each
                self.is_whole = following is None
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self._signer.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self._signer.host, timeout=_PATIENCE_SECONDS, context=context)
        return http.client.HTTPConnection(self._signer.host, timeout=_PATIENCE_SECONDS)

    def _ask(self, connection: http.client.HTTPConnection, token: str) -> bool:
        """Ask for a page; False where that cannot be done."""
        parameters = {"list-type": "2", "encoding-type": "url", "prefix": self._prefix.key, **self._more}
        if token:
            parameters["continuation-token"] = token
        try:
            connection.request("GET", self._signer.url(S3Uri(self._prefix.bucket, ""), _SIGNED_SECONDS, parameters))
        except (OSError, http.client.HTTPException):
            return False
        return True

    def _page(self, connection: http.client.HTTPConnection) -> tuple[ElementTree.Element, str | None]:
        """The page that was asked for, and how to ask for the next one."""
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise ValueError(f"the answer is {answer.status}")
        page = ElementTree.fromstring(body)
        space = page.tag[: page.tag.rfind("}") + 1]
        if page.tag != f"{space}ListBucketResult" or page.findtext(f"{space}EncodingType") != "url":
            raise ValueError("no page, or its keys are not encoded")
        if page.findtext(f"{space}IsTruncated") != "true":
            return page, None
        following = page.findtext(f"{space}NextContinuationToken")
        if not following:
            raise ValueError("there are more pages, but not how to get them")
        return page, following


def _objects(page: ElementTree.Element) -> Iterable[ObjectInfo | str]:
    objects = [
        ObjectInfo(unquote(each.key), each.size, each.etag.strip('"'), each.modified_at.timestamp())
        for each in page_objects(page)
    ]
    space = page.tag[: page.tag.rfind("}") + 1]
    folded = [unquote(each.text or "") for each in page.iterfind(f"{space}CommonPrefixes/{space}Prefix")]
    return in_order(objects, folded) if folded else objects
