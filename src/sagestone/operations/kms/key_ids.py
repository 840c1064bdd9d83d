"""Whether the KMS keys that a request names can be used: the rules of the request do not know which keys there are."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagestone.domain.place import Place
from sagestone.kms.refusal import KmsRefusal
from sagestone.kms.vault import Vault
from sagestone.shapes.violation import Violation


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKeys:
    """The keys of the account. `objects_elsewhere`: objects lie in another store, which has keys of its own: what names
    one is passed on to it, and it says when the key cannot be used. `no_volumes` says why this machine encrypts no
    volumes and what to do (None: it does); it is asked when a request names a key for one."""

    vault: Vault
    objects_elsewhere: bool = False
    no_volumes: Callable[[], str | None] = lambda: None

    def of_objects(self, name: Place) -> Iterator[Violation]:
        """What is wrong with the key that objects are to be encrypted with; nothing where none is named."""
        if not self.objects_elsewhere:
            yield from self._unusable(name)

    def of_volume(self, name: Place) -> Iterator[Violation]:
        """What is wrong with the key that volumes are to be encrypted with; nothing where none is named."""
        unusable = list(self._unusable(name))
        yield from unusable
        if not name or unusable:
            return
        why = self.no_volumes()
        if why is not None:
            yield name.breaks(f"Member must be empty: no volume can be encrypted on this machine: {why}")

    def _unusable(self, name: Place) -> Iterator[Violation]:
        if not name:
            return
        try:
            self.vault.usable(name.value)
        except KmsRefusal as refusal:
            yield name.breaks(f"Member must be a KMS key that can be used: {refusal.code}: {refusal.message}")


def training_key_violations(job: Place, keys: KnownKeys) -> Iterator[Violation]:
    """Those of a training job's request or definition."""
    yield from keys.of_objects(job.at("OutputDataConfig", "KmsKeyId"))
    yield from keys.of_volume(job.at("ResourceConfig", "VolumeKmsKeyId"))


def transform_key_violations(job: Place, keys: KnownKeys) -> Iterator[Violation]:
    """Those of a transform job's request or definition."""
    yield from keys.of_objects(job.at("TransformOutput", "KmsKeyId"))
    yield from keys.of_objects(job.at("DataCaptureConfig", "KmsKeyId"))
    yield from keys.of_volume(job.at("TransformResources", "VolumeKmsKeyId"))


def profile_key_violations(request: Mapping[str, Any], keys: KnownKeys) -> Iterator[Violation]:
    """Those of the validation profiles of an algorithm or a model package."""
    for profile in Place(request).at("ValidationSpecification", "ValidationProfiles").elements():
        yield from training_key_violations(profile.member("TrainingJobDefinition"), keys)
        yield from transform_key_violations(profile.member("TransformJobDefinition"), keys)
