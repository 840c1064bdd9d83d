"""Signed requests as bytes, made beforehand so that signing costs the measured run nothing."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def signed_call(
    endpoint: str, keys: tuple[str, str], operation: str, parameters: Mapping[str, Any], target: str = "SageMaker"
) -> bytes:
    """An AWS JSON request of a SageMaker operation, as it goes over the wire."""
    host = endpoint.removeprefix("http://")
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"{target}.{operation}", "Host": host}
    body = json.dumps(parameters).encode()
    request = AWSRequest(method="POST", url=f"{endpoint}/", headers=headers, data=body)
    SigV4Auth(Credentials(*keys), "sagemaker", "us-east-1").add_auth(request)
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return f"POST / HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
