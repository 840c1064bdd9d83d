"""Rules of InferenceSpecification that the service model cannot say."""

import json
from collections.abc import Iterator

from sagestone.domain.place import Place
from sagestone.domain.rules.hostnames import hostname_violations
from sagestone.shapes.violation import Violation


def inference_violations(inference: Place) -> Iterator[Violation]:
    """Container host names are unique, and free, and DataInputConfig is JSON.

    What only endpoints and model packages use (Framework, NearestModelName, BaseModel, realtime instance types …) is
    kept and given back.
    """
    containers = inference.member("Containers")
    yield from hostname_violations(containers)
    for container in containers.elements():
        config = container.at("ModelInput", "DataInputConfig")
        if config.value is not None and not _is_json(config.value):
            yield config.breaks("Member must be JSON")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
