"""Rules of CertifyForMarketplace."""

from collections.abc import Iterator

from sagestone.domain.place import Place
from sagestone.shapes.violation import Violation


def marketplace_violations(request: Place) -> Iterator[Violation]:
    """Certification needs a validation, and an image scan that this service does not have yet."""
    certify = request.member("CertifyForMarketplace")
    if not certify.value:
        return
    if not request.member("ValidationSpecification"):
        yield certify.breaks(
            "Member must not be true without a ValidationSpecification: certification needs a validation"
        )
    yield certify.unsupported(
        "certification scans the images for known vulnerabilities, and there is no scanner here; leave it out or set "
        "it to false: the validation is the same"
    )
