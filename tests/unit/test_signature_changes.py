"""Whatever is changed after signing, by a single bit, is refused; or it still means the very same request."""

from urllib.parse import unquote_plus, unquote_to_bytes

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.utils import percent_encode, percent_encode_sequence
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sagestone.wire.signature import Credential, SignatureProblem, SignedRequest, parse_authorization, verify
from tests.unit.test_signature import SECRET, credential_of, signed_by_botocore

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)
VALUES = st.text(st.sampled_from("abcXYZ019 -_;=/,\"'"), max_size=16)
SIGNERS = st.sampled_from(
    [(SigV4Auth, "sagemaker"), (S3SigV4Auth, "s3"), (SigV4QueryAuth, "sts"), (S3SigV4QueryAuth, "s3")]
)


@st.composite
def signed_requests(draw: st.DrawFn) -> SignedRequest:
    signer, service = draw(SIGNERS)
    path = "/" + "/".join(percent_encode(word, safe="~") for word in draw(st.lists(WORDS, max_size=3)))
    if service != "s3":  # botocore sends dot segments as they are and signs them away; who reads the path is S3 alone
        path = path.replace("/..", "/d").replace("/.", "/d")
    query = percent_encode_sequence(draw(st.dictionaries(WORDS, WORDS, max_size=3)))
    headers = {f"X-Amz-Meta-{number}": value for number, value in enumerate(draw(st.lists(VALUES, max_size=2)))}
    return signed_by_botocore(
        signer,
        service,
        method=draw(st.sampled_from(["GET", "PUT", "POST", "DELETE"])),
        target=path + (f"?{query}" if query else ""),
        headers={"Content-Type": "application/x-amz-json-1.1", **headers},
        body=b"" if "Query" in signer.__name__ else draw(st.binary(max_size=40)),  # botocore moves it into the URL
        **({"expires": 60} if "Query" in signer.__name__ else {}),
    )


@given(request=signed_requests(), place=st.integers(0, 10**6), bit=st.integers(0, 6))
def test_a_changed_bit_is_refused(request: SignedRequest, place: int, bit: int) -> None:
    credential = credential_of(request)
    verify(request, credential, SECRET, now=credential.signed_at)
    body = ["body_hash"] if credential.service != "s3" or not credential.presigned else []  # else it is not signed
    spots = ["method", "raw_path", "raw_query", *body, *sorted(request.headers)]
    spot = spots[place % len(spots)]
    before = str(request.headers[spot] if spot in request.headers else getattr(request, spot))
    if not before:
        return
    at = (place // len(spots)) % len(before)
    after = before[:at] + chr(ord(before[at]) ^ (1 << bit)) + before[at + 1 :]
    if spot == "raw_path" and not after.startswith("/"):
        return  # HTTP itself has no such path
    if spot in request.headers:
        headers = SignedRequest.of("", "", [(n, after if n == spot else v) for n, v in request.headers.items()]).headers
        changed = replace(request, headers=headers)
    else:
        changed = replace(request, **{spot: after})
    try:
        found = parse_authorization(changed)
        assert found is not None
        verify(changed, found, SECRET, now=credential.signed_at)
    except SignatureProblem:
        return
    if found.access_key != credential.access_key:
        return  # another key has another secret, or is nobody's
    assert _meaning(changed, found) == _meaning(request, credential), (spot, before, after)


def _meaning(request: SignedRequest, credential: Credential) -> object:
    """What a service makes of a request: escapes undone, white space as it is signed."""
    signed = {name: " ".join(request.headers.get(name, "").split()) for name in credential.signed_headers}
    pairs = sorted(
        (unquote_plus(name), unquote_plus(value))
        for name, _, value in (piece.partition("=") for piece in request.raw_query.split("&"))
    )
    scope = credential.scope, credential.expires, credential.timestamp
    return request.method, unquote_to_bytes(request.raw_path), pairs, signed, request.body_hash, scope
