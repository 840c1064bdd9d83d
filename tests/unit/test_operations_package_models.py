"""Models that are made of model packages, and the rules of making packages."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from sagestone.domain.model import Model
from tests.unit.packages import (
    ACCOUNT,
    ARCHIVE,
    INFERENCE,
    REQUEST,
    TRANSFORM,
    VALIDATION,
    refusal,
    version,
)
from tests.unit.requests import DIGEST
from tests.unit.served import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    made.put(ARCHIVE)
    yield made
    made.store.close()


class TestModelsOfPackages:
    def test_a_model_has_what_the_package_says(self, served: Served) -> None:
        served.call("CreateModelPackage", REQUEST)
        for name in ("oak", f"{ACCOUNT}:model-package/oak"):
            container = {"ModelPackageName": name, "Environment": {"MODE": "b"}}
            served.sagemaker("CreateModel", ModelName=name[-3:] + str(len(name)), Containers=[container])
        model = served.store.resource(Model, "oak3")
        assert model is not None
        (made,) = model.containers
        assert (made.image.digest, made.model_uri) == (DIGEST, ARCHIVE)
        assert made.environment == {"WORKERS": "2", "MODE": "b"}

    def test_the_packages_lists_bind_its_jobs(self, served: Served) -> None:
        served.call("CreateModelPackage", REQUEST)
        served.sagemaker("CreateModel", ModelName="m", PrimaryContainer={"ModelPackageName": "oak"})
        request = {"TransformJobName": "j", "ModelName": "m", **deepcopy(TRANSFORM)}
        request["TransformInput"]["ContentType"] = "text/plain"
        text = refusal(served, "CreateTransformJob", **request)
        assert "Value 'text/plain' at 'transformInput.contentType' failed" in text
        assert "SupportedContentTypes: [text/csv]" in text
        served.call("CreateTransformJob", {"TransformJobName": "j", "ModelName": "m", **TRANSFORM})

    def test_a_version_must_be_approved(self, served: Served) -> None:
        arn = version(served)
        text = refusal(served, "CreateModel", ModelName="m", PrimaryContainer={"ModelPackageName": arn})
        assert text.startswith(f"ModelPackage {arn} has ModelApprovalStatus PendingManualApproval;")
        served.sagemaker("UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved")
        served.sagemaker("CreateModel", ModelName="m", PrimaryContainer={"ModelPackageName": arn})

    def test_an_additional_specification_is_chosen_by_its_name(self, served: Served) -> None:
        other = {"Name": "small", "Containers": [{"Image": "trees:1", "Environment": {"SIZE": "s"}}]}
        served.call("CreateModelPackage", {**REQUEST, "AdditionalInferenceSpecifications": [other]})

        def container(name: str) -> dict[str, Any]:
            return {"ModelPackageName": "oak", "InferenceSpecificationName": name}

        served.sagemaker("CreateModel", ModelName="m", PrimaryContainer=container("small"))
        model = served.store.resource(Model, "m")
        assert model is not None
        assert model.containers[0].environment == {"SIZE": "s"}
        text = refusal(served, "CreateModel", ModelName="n", PrimaryContainer=container("large"))
        assert text.endswith("has no additional inference specification named large.")

    @pytest.mark.parametrize(
        ("container", "words"),
        [
            ({"ModelPackageName": "absent"}, f"ModelPackage {ACCOUNT}:model-package/absent does not exist."),
            ({"ModelPackageName": "pending"}, "is in Pending status; a model needs one in Completed status."),
            ({"ModelPackageName": "hosted"}, "Container 1 of ModelPackage hosted has ModelDataSource"),
            ({"ModelPackageName": "moved"}, "Could not access model data at s3://data/absent.tar.gz."),
            ({"ModelPackageName": "oak", "Image": "trees:1"}, "Member must be absent: it comes from the model package"),
            ({"Image": "trees:1", "InferenceSpecificationName": "a"}, "Member must be absent without a ModelPackage"),
        ],
    )
    def test_what_no_model_can_be_made_of(self, served: Served, container: dict[str, Any], words: str) -> None:
        def package(name: str, **members: Any) -> None:
            served.call("CreateModelPackage", {**deepcopy(REQUEST), "ModelPackageName": name, **members})

        source = {"S3DataSource": {"S3Uri": "s3://data/x/", "S3DataType": "S3Prefix", "CompressionType": "None"}}
        package("oak")
        package("pending", ValidationSpecification=VALIDATION)
        hosted, moved = [{"Image": "trees:1", "ModelDataSource": source}], [
            {"Image": "trees:1", "ModelDataUrl": "s3://data/absent.tar.gz"}
        ]  # fmt: skip
        package("hosted", InferenceSpecification={**INFERENCE, "Containers": hosted})
        package("moved", InferenceSpecification={**INFERENCE, "Containers": moved})
        assert words in refusal(served, "CreateModel", ModelName="m", PrimaryContainer=container)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"ModelPackageGroupName": "g"}, "Both ModelPackageName and ModelPackageGroupName are provided in the input."),
        ({"ModelPackageName": None}, "Missing ARN"),
        ({"InferenceSpecification": None}, "Value null at 'inferenceSpecification' failed"),
        (
            {"InferenceSpecification": {"Containers": [{"Image": "trees:1"}]}},
            "2 validation errors detected: Value null at 'inferenceSpecification.supportedTransformInstanceTypes' fail",
        ),
        (
            {"InferenceSpecification": {**INFERENCE, "Containers": [{"Image": "trees:1", "ModelDataETag": "e"}]}},
            "Value 'e' at 'inferenceSpecification.containers.1.member.modelDataETag' failed",
        ),
        (
            {"InferenceSpecification": {**INFERENCE, "Containers": [{"Image": "no:1"}]}},
            "Requested image no:1 not found.",
        ),
        (
            {
                "InferenceSpecification": {
                    **INFERENCE,
                    "Containers": [{"Image": "trees:1", "ImageDigest": "sha256:" + "0" * 64}],
                }
            },
            "at 'inferenceSpecification.containers.1.member.imageDigest' failed",
        ),
        (
            {
                "ValidationSpecification": {
                    **VALIDATION,
                    "ValidationProfiles": [
                        {
                            "ProfileName": "p",
                            "TransformJobDefinition": {
                                **TRANSFORM,
                                "TransformResources": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
                            },
                        }
                    ],
                }
            },
            "Member must be one of SupportedTransformInstanceTypes: [ml.m5.large]",
        ),
        ({"CertifyForMarketplace": True}, "Value 'true' at 'certifyForMarketplace' failed"),
        ({"SecurityConfig": {"KmsKeyId": "k"}}, "Value 'k' at 'securityConfig.kmsKeyId' failed"),
        ({"ManagedStorageType": "Restricted"}, "Value 'Restricted' at 'managedStorageType' failed"),
        (
            {"ModelPackageName": None, "ModelPackageGroupName": "forest", "Tags": [{"Key": "a", "Value": "b"}]},
            "Value at 'tags' failed to satisfy constraint: Member must be empty: a version has the tags of its group",
        ),
    ],
)
def test_rules_of_packages(served: Served, members: dict[str, Any], words: str) -> None:
    served.sagemaker("CreateModelPackageGroup", ModelPackageGroupName="forest")
    request = {name: value for name, value in {**deepcopy(REQUEST), **members}.items() if value is not None}
    assert words in refusal(served, "CreateModelPackage", **request)
