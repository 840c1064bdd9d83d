"""The service models that botocore ships: the operations of a service and the shapes of what goes in and out."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import orjson

#: Shapes that hold what people give their programs in secret, beside those that the model calls sensitive: no message
#: and no log shows their values.
_SECRETIVE = ("EnvironmentMap", "EnvironmentValue", "EnvironmentVariables")

#: A shape as the model file writes it: `type`, `members`, `required`, `min`, `max`, `pattern`, `enum`, `member`, …
ShapeFacts = Mapping[str, Any]


class ModelMissing(Exception):
    """botocore has no model of this service; the text says what was looked for and where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFacts:
    """An operation: the names of its input and output shapes, None for none; `result_wrapper` is for XML only."""

    name: str
    input: str | None
    output: str | None
    result_wrapper: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceModel:
    """One service. `service` is its signing name, `target_prefix` what stands before the dot in X-Amz-Target.

    A service of the query protocol (STS, IAM) has no target, and an `xml_namespace` instead.
    """

    service: str
    target_prefix: str
    json_version: str
    operations: Mapping[str, OperationFacts]
    shapes: Mapping[str, ShapeFacts]
    xml_namespace: str = ""


def load_service_model(service: str) -> ServiceModel:
    """The newest model of `sagemaker`, `logs` … (botocore's directory names) that the installed botocore has.

    Reads the file itself: about 30 ms and without the documentation texts, where botocore's own loader takes several
    times as long and keeps them. Raises ModelMissing.
    """
    directory = files("botocore") / "data" / service
    versions = sorted((each.name for each in directory.iterdir()), reverse=True) if directory.is_dir() else []
    for version in versions:
        for name in ("service-2.json.gz", "service-2.json"):
            file = directory / version / name
            if file.is_file():
                data = file.read_bytes()
                return _read_model(orjson.loads(gzip.decompress(data) if name.endswith(".gz") else data))
    raise ModelMissing(f"The installed botocore has no model of '{service}' under {directory}; install botocore again.")


def _read_model(document: Mapping[str, Any]) -> ServiceModel:
    metadata = document["metadata"]
    shapes = document["shapes"]
    for shape_name, shape in shapes.items():
        shape.pop("documentation", None)
        if shape_name.endswith(_SECRETIVE):
            shape["sensitive"] = True
        for member in shape.get("members", {}).values():
            member.pop("documentation", None)
    return ServiceModel(
        service=metadata.get("signingName") or metadata["endpointPrefix"],
        target_prefix=metadata.get("targetPrefix", ""),
        json_version=metadata.get("jsonVersion", ""),
        operations={
            name: OperationFacts(
                name=name,
                input=facts.get("input", {}).get("shape"),
                output=facts.get("output", {}).get("shape"),
                result_wrapper=facts.get("output", {}).get("resultWrapper", ""),
            )
            for name, facts in document["operations"].items()
        },
        shapes=shapes,
        xml_namespace=metadata.get("xmlNamespace", ""),
    )
