"""Calls of every operation that is served: valid by the service model, then spoiled."""

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

from sagestone.operations.table import QUICK, WAITING
from sagestone.shapes.own_model import OWN_MODEL
from sagestone.shapes.service_model import ServiceModel, load_service_model
from tests.fuzz.case import Case, World, http_request
from tests.fuzz.documents import Requests, in_cbor, written
from tests.fuzz.hostile_values import spoiled
from tests.fuzz.mutate import mutated
from tests.fuzz.sign import sha256, sign

IMAGE = "fuzz/image:1"
ROLE = "arn:aws:iam::123456789012:role/fuzz"
NAMES = tuple(f"fuzz-{number}" for number in range(12))
_PAYLOADS = Path(__file__).parents[1] / "golden" / "payloads"
_OPERATIONS = sorted({**QUICK, **WAITING})
_HEADERS = {
    "Content-Type": ("application/json", "text/plain", "", "application/x-amz-json-1.0", "application/cbor", "é"),
    "X-Amz-Target": ("SageMaker.", ".", "SageMaker.CreateAlgorithm.x", "Logs_20140328.GetLogEvents", "x" * 5000, "é"),
    "X-Amz-Security-Token": ("", "x", "A" * 4000, "é"),
    "X-Amz-Content-Sha256": ("", "UNSIGNED-PAYLOAD", "0" * 64),
    "Expect": ("100-continue", "200-ok"),
    "Content-Encoding": ("gzip", "deflate", "x"),
    "X-Forwarded-For": ("9" * 900,),
    "X-Amz-User-Agent": ("\x01", "a" * 7000),
}


class RequestCases:
    """Draws them."""

    def __init__(self, world: World) -> None:
        self._world = world
        models = [*map(load_service_model, ("sagemaker", "logs", "cloudwatch", "kms", "sts", "iam")), OWN_MODEL]
        self._models = {model.service: model for model in models}
        arns = [f"arn:aws:sagemaker:us-east-1:123456789012:{kind}/{name}" for kind in _KINDS for name in NAMES[:3]]
        texts = [*NAMES, *arns, IMAGE, ROLE, *world.texts]
        self._requests = {service: Requests(model, texts) for service, model in self._models.items()}

    def draw(self, random: Random) -> Case:
        service, operation = random.choice(_OPERATIONS)
        if service == "sagemaker" and random.random() < 0.15:
            operation = "CreateAlgorithm"
        templates = _templates().get(operation, [])
        if templates and random.random() < 0.6:
            document: Any = {**random.choice(templates), _NAME.get(operation, "Unused"): random.choice(NAMES)}
        else:
            document = self._requests[service].draw(random, operation)
        kind = random.random()
        if kind > 0.3:
            document = spoiled(random, document)
        model = self._models[service]
        body = written(document) if model.target_prefix else _form(operation, document)
        cbor = bool(model.target_prefix) and random.random() < 0.2
        if cbor:
            with suppress(UnicodeEncodeError):
                body = in_cbor(document)
        if kind > 0.9:
            body = mutated(random, [body])
        if operation == "DrainMachine":  # but nothing is to be started
            cbor, body = False, body if b"false" not in body else b'{"Draining": true}'
        return self._case(random, model, operation, body, cbor)

    def _case(self, random: Random, model: ServiceModel, operation: str, body: bytes, cbor: bool) -> Case:
        path = "/"
        if cbor:
            path = f"/service/{model.target_prefix}/operation/{operation}"
            headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        elif model.target_prefix:
            target = f"{model.target_prefix}.{operation}"
            headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
        else:
            headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        spoil = random.random()
        late: dict[str, str] = {}
        if spoil < 0.03:
            name = random.choice(list(_HEADERS))
            headers[name] = random.choice(_HEADERS[name])
        elif spoil < 0.05:
            late = {
                "Authorization": random.choice(("", "AWS4-HMAC-SHA256", "Basic eDp5", "AWS4-HMAC-SHA256 " + "=," * 999))
            }
        elif spoil < 0.06:
            path = random.choice(("/%ff%00", "/a/../b//c", "//", "/é", "/v2/credentials/x"))

        def request(body: bytes) -> bytes:
            signed = sign(
                self._world.keys, model.service, "POST", path, "", {"Host": self._world.host, **headers}, sha256(body)
            )
            return http_request("POST", path, {**signed.headers, **late}, body)

        return Case(what=f"{model.service} {operation}", body=body, request=request)


def _form(operation: str, document: Any) -> bytes:
    """Parameters in the query protocol."""
    fields = [("Action", operation), ("Version", "2011-06-15"), *_fields("", document)]
    return urlencode(fields, errors="surrogatepass").encode()


def _fields(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _fields(f"{path}.{name}" if path else str(name), each)
    elif isinstance(value, list):
        for number, each in enumerate(value, start=1):
            yield from _fields(f"{path}.member.{number}", each)
    else:
        yield path, value if isinstance(value, str) else written(value).decode("utf-8", "replace")


@lru_cache
def _templates() -> dict[str, list[dict[str, Any]]]:
    """Requests that go far: with an image that is there."""
    algorithms = [json.loads(path.read_bytes()) for path in sorted(_PAYLOADS.glob("create-*.json"))]
    algorithms = [each for each in algorithms if "TrainingSpecification" in each]
    for each in algorithms:
        each.pop("ValidationSpecification", None)
        each["TrainingSpecification"]["TrainingImage"] = IMAGE
        for container in each.get("InferenceSpecification", {}).get("Containers", []):
            container["Image"] = IMAGE
    training = {
        "RoleArn": ROLE,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        },
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://fuzz-a/"}},
            }
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://fuzz-a/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "HyperParameters": {"a": "1"},
    }
    transform = {
        "ModelName": NAMES[0],
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://fuzz-a/"}}},
        "TransformOutput": {"S3OutputPath": "s3://fuzz-a/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "DataProcessing": {"InputFilter": "$[0]"},
    }
    return {
        "CreateAlgorithm": algorithms,
        "CreateTrainingJob": [training],
        "CreateTransformJob": [transform],
        "CreateModel": [{"PrimaryContainer": {"Image": IMAGE, "Environment": {"A": "b"}}, "ExecutionRoleArn": ROLE}],
        "CreateModelPackageGroup": [{"ModelPackageGroupDescription": "d"}],
    }


_KINDS = ("algorithm", "model", "training-job", "transform-job", "model-package", "model-package-group")
_NAME = {
    "CreateAlgorithm": "AlgorithmName",
    "CreateTrainingJob": "TrainingJobName",
    "CreateTransformJob": "TransformJobName",
    "CreateModel": "ModelName",
    "CreateModelPackageGroup": "ModelPackageGroupName",
}
