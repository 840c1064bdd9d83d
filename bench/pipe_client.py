"""The plain client beside which Pipe mode stands: it reads objects over HTTP and throws them away.

One large object comes over one connection into one buffer, which is as little as a client can do; small ones through
obstore on eight threads, the fastest of the clients that were tried.
"""

import http.client
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import boto3
import obstore
from botocore.config import Config
from obstore.store import S3Store

from bench.service import RunningService

_THREADS = 8


def one_object(running: RunningService, bucket: str, key: str) -> int:
    """Read an object to its end; its size."""
    access_key, secret_key = running.keys
    signer = boto3.client(
        "s3",
        endpoint_url=running.endpoint,
        region_name="us-east-1",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(signature_version="s3v4"),
    )
    url = urlsplit(signer.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}))
    connection = http.client.HTTPConnection(str(url.hostname), url.port or 80)
    connection.request("GET", f"{url.path}?{url.query}")
    answer = connection.getresponse()
    buffer, total = memoryview(bytearray(1024 * 1024)), 0
    while got := answer.readinto(buffer):
        total += got
    connection.close()
    return total


def small_objects(running: RunningService, bucket: str, keys: list[str]) -> int:
    """Read many objects whole; the bytes of all."""
    access_key, secret_key = running.keys
    store = S3Store(
        bucket,
        endpoint=running.endpoint,
        region="us-east-1",
        access_key_id=access_key,
        secret_access_key=secret_key,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )

    def read(mine: list[str]) -> int:
        return sum(len(obstore.get(store, key).bytes()) for key in mine)

    with ThreadPoolExecutor(_THREADS) as pool:
        return sum(pool.map(read, [keys[start::_THREADS] for start in range(_THREADS)]))
