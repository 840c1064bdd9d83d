"""Requests to the S3 face: paths, sub-resources, headers and bodies of every kind, most of them signed."""

from random import Random
from urllib.parse import quote, quote_from_bytes

from tests.fuzz.case import Case, World, http_request
from tests.fuzz.mutate import mutated
from tests.fuzz.sign import presigned, sha256, sign, signed_chunks

BUCKETS = ("fuzz-a", "fuzz-b")
_KEYS = (b"k", b"a/b", b"a/b/", b"/", b"//x", b".", b"..", b"../x", b"\xc3\xa9", b"\xff", b"a b+c%&?#", b"n\x00n",
b"\n", b"k" * 1024,
         b"k" * 1025, b"k" * 9000, b"k" * 5000 + b"/" * 3000, b"x\xed\xa0\x80", b"\xef\xbf\xbe", b"<&>\"'")  # fmt: skip
_QUERIES = {
    "uploads": ("", "1"), "uploadId": ("", "x", "é"), "partNumber": ("1", "0", "-1", "10001", "9" * 30, "x", "١"),
    "list-type": ("2", "1"),
    "max-keys": ("0", "1", "-1", "1001", "9" * 25, "x", ""), "prefix": ("a", "é%00", "%ff", "k" * 2000),
    "delimiter": ("/", "", "ab", "%00"),
    "marker": ("a", "%f0%9f%98%80"), "start-after": ("a", ""), "continuation-token": ("", "x", "A" * 3000, "%00"),
    "fetch-owner": ("true", "x"),
    "encoding-type": ("url", "x"), "location": ("",), "versioning": ("",), "acl": ("",), "tagging": ("",),
    "policy": ("",), "delete": ("",),
    "versionId": ("null", "x"), "max-uploads": ("1", "-1", "x"), "key-marker": ("a",), "upload-id-marker": ("x",),
    "max-parts": ("1", "0"),
    "part-number-marker": ("0", "x", "-5"), "response-content-type": ("a/b", "%0d%0aX: y", "é"), "attributes": ("",),
    "select": ("",),
    "response-expires": ("x", "%00"), "restore": ("",), "x-id": ("GetObject",), "cors": ("",), "lifecycle": ("",),
    "a": ("b",), "max-buckets": ("1", "x"),
    "X-Amz-Expires": ("1",), "X-Amz-Algorithm": ("x",), "Signature": ("x",), "AWSAccessKeyId": ("x",), "Expires": ("x",
    ),
}  # fmt: skip
_HEADERS = {
    "Range": ("bytes=0-1", "bytes=-1", "bytes=5-", "bytes=9-1", "bytes=0-0,2-3", "x", "bytes=" + "9" * 30 + "-",
    "bytes=-0"),
    "If-Match": ("*", '"x"', "", ","), "If-None-Match": ("*", '"x"'), "If-Modified-Since": ("x",
    "Thu, 01 Jan 1970 00:00:00 GMT", "9" * 99),
    "If-Unmodified-Since": ("Thu, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 0000 00:00:00 GMT"), "Content-MD5": ("", "x",
    "AAAAAAAAAAAAAAAAAAAAAA=="),
    "x-amz-checksum-crc32": ("AAAAAA==", "x", ""), "x-amz-checksum-sha256": ("x",),
    "x-amz-sdk-checksum-algorithm": ("CRC32", "x", "CRC64NVME"),
    "x-amz-checksum-algorithm": ("SHA1", "x"), "x-amz-checksum-type": ("COMPOSITE", "FULL_OBJECT", "x"),
    "x-amz-trailer": ("x-amz-checksum-crc32", "x"),
    "x-amz-copy-source": ("fuzz-a/k", "/fuzz-a/k?versionId=null", "x", "", "%ff", "fuzz-a/k?x"),
    "x-amz-copy-source-range": ("bytes=0-1", "x"),
    "x-amz-copy-source-if-match": ("x", "*"), "x-amz-metadata-directive": ("REPLACE", "COPY", "x"),
    "x-amz-meta-a": ("b", "é", "v" * 2100, ""),
    "x-amz-tagging": ("a=b", "&&", "%ff=%00", "a=b&" * 20), "x-amz-acl": ("private", "public-read", "x"),
    "x-amz-storage-class": ("STANDARD", "x"),
    "x-amz-server-side-encryption": ("AES256", "aws:kms", "x"), "x-amz-expected-bucket-owner": ("123456789012", "x"),
    "Content-Encoding": ("gzip", "aws-chunked", "x"),
    "x-amz-server-side-encryption-aws-kms-key-id": ("alias/fuzz", "x"), "x-amz-object-lock-mode": ("x",),
    "x-amz-website-redirect-location": ("x",),
    "x-amz-decoded-content-length": ("0", "5", "-1", "9" * 30, "x"), "Expect": ("100-continue", "x"),
    "Content-Type": ("", "é", "a" * 3000), "Cache-Control": ("x",),
    "Host": ("fuzz-a.localhost", "x.s3.localhost", "", "[::1]", "é", "a" * 300 + ".localhost"), "Date": ("x",),
    "x-amz-security-token": ("x",), "Origin": ("x",),
    "x-amz-grant-read": ("x",), "x-amz-mp-object-size": ("5", "x"), "x-amz-write-offset-bytes": ("0",),
    "x-amz-request-payer": ("requester",),
}  # fmt: skip
_BODIES = [
    b"hello", b"", b"x" * 100_000,
    b"<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>",
    b'<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet><Object><Key>k</Key></Object></Delete>',
    b"<Delete>" + b"<Object><Key>k</Key></Object>" * 1001 + b"</Delete>", b"<a>" * 20_000,
    b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"5d41402abc4b2a76b9719d911017c592\"</ETag></Part></CompleteMultipartUpload>",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]><Delete>&b;</Delete>", b"\xff\xfe<\x00D\x00",
    b"<CompleteMultipartUpload>" + b"<Part/>" * 10_001 + b"</CompleteMultipartUpload>",
]  # fmt: skip
_TRAILED = [b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", b"0\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n"]
_SECRET_METHODS = (
    "GET",
    "GET",
    "GET",
    "PUT",
    "PUT",
    "PUT",
    "POST",
    "POST",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "PATCH",
    "TRACE",
)


class S3Cases:
    """Draws them."""

    def __init__(self, world: World) -> None:
        self._world = world

    def draw(self, random: Random) -> Case:
        method = random.choice(_SECRET_METHODS)
        path = self._path(random)
        query = self._query(random)
        headers = {"Host": self._world.host}
        for _ in range(random.choice((0, 0, 1, 2, 4))):
            name = random.choice(list(_HEADERS))
            headers[name] = random.choice(_HEADERS[name])
        how = random.random()
        body = random.choice(_BODIES) if method in ("PUT", "POST", "PATCH") or how < 0.05 else b""
        if body and random.random() < 0.3:
            body = mutated(random, [body])
        if headers.get("Host", "").startswith(("fuzz-a", "x.")):
            path = "/" + path.partition("/")[2].partition("/")[2]
        what = f"{method} {path[:80]}?{query[:80]}"
        if how > 0.85:
            return self._presigned(random, what, method, path, query, headers, body)
        if method == "PUT" and how > 0.6:
            return self._chunked(random, what, path, query, headers)
        payload = random.choice(("UNSIGNED-PAYLOAD", "", "", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x", "0" * 64))

        def request(body: bytes) -> bytes:
            signed = sign(self._world.keys, "s3", method, path, query, headers, payload or sha256(body))
            return http_request(method, f"{path}?{query}" if query else path, signed.headers, body)

        return Case(what=what, body=body, request=request, head=method == "HEAD")

    def _presigned(
        self, random: Random, what: str, method: str, path: str, query: str, headers: dict[str, str], body: bytes
    ) -> Case:
        expires = random.choice(("600", "600", "600", "0", "-1", "604801", "x", "9" * 30, ""))
        spoil = random.random() < 0.3

        def request(body: bytes) -> bytes:
            signed = presigned(self._world.keys, method, path, query, headers["Host"], expires)
            if spoil:
                signed = mutated(Random(signed), [signed.encode()]).translate(None, b"\r\n \0").decode("latin-1")
            return http_request(method, f"{path}?{signed}", headers, body)

        return Case(
            what=f"presigned {what}",
            body=body,
            request=request,
            head=method == "HEAD",
            whole=not spoil,
            quiet_seconds=0.1,
        )

    def _chunked(self, random: Random, what: str, path: str, query: str, headers: dict[str, str]) -> Case:
        signs, content = random.random() < 0.5, random.choice((b"hello", b"", b"y" * 70_000))
        cutting, spoil = random.choice((1, 3, 8192)) if len(content) < 100 else 8192, random.random() < 0.6
        seed = random.random()
        payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" if signs else "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        framing = {"x-amz-decoded-content-length": str(len(content)), "Content-Encoding": "aws-chunked"}
        if not signs and random.random() < 0.7:
            framing["x-amz-trailer"] = "x-amz-checksum-crc32"
        every = {**framing, **headers}
        unsigned = random.choice(_TRAILED)

        def request(body: bytes) -> bytes:
            signed = sign(self._world.keys, "s3", "PUT", path, query, every, payload)
            if not body:
                pieces = [content[at : at + cutting] for at in range(0, len(content), cutting)]
                body = signed_chunks(signed, pieces) if signs else unsigned
                body = mutated(Random(seed), [body]) if spoil else body
            return http_request("PUT", f"{path}?{query}" if query else path, signed.headers, body)

        return Case(what=f"aws-chunked {what}", body=b"", request=request)

    def _path(self, random: Random) -> str:
        if random.random() < 0.05:
            return random.choice(("/", "//", "/%ff", "/UPPER", "/a", "/" + "b" * 300, "/fuzz-a", "/..", "/fuzz-c/k"))
        bucket = random.choice(BUCKETS)
        if random.random() < 0.25:
            return f"/{bucket}"
        key = random.choice(_KEYS) if random.random() < 0.7 else b"k%d" % random.randrange(9)
        text = quote_from_bytes(key, safe="/-_.~")
        return f"/{bucket}/{text}"

    def _query(self, random: Random) -> str:
        pieces = []
        for _ in range(random.choice((0, 0, 0, 1, 1, 2, 4))):
            name = random.choice(list(_QUERIES))
            value = random.choice(self._world.uploads) if name == "uploadId" else random.choice(_QUERIES[name])
            pieces.append(f"{name}={value if '%' in value else quote(value, safe='')}" if value else name)
        return "&".join(pieces)
