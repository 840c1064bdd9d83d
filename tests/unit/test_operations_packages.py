"""The operations on model packages and their groups, over a real store of resources and of objects."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagestone.domain.model_package import ModelPackage
from sagestone.domain.transition import begin_validation, fail_validation
from sagestone.wire.errors import ConflictException
from tests.unit.packages import (
    ACCOUNT,
    ARCHIVE,
    INFERENCE,
    REQUEST,
    ROLE,
    VALIDATION,
    described,
    refusal,
    version,
)
from tests.unit.requests import DIGEST, full_request
from tests.unit.served import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    made.put(ARCHIVE)
    yield made
    made.store.close()


def algorithm(served: Served) -> None:
    request = full_request()
    del request["ValidationSpecification"]
    served.call("CreateAlgorithm", request)


class TestUnversioned:
    def test_a_package_without_a_profile_is_completed_at_once(self, served: Served) -> None:
        arn = f"{ACCOUNT}:model-package/oak"
        assert served.call("CreateModelPackage", REQUEST) == {"ModelPackageArn": arn}
        (container,) = INFERENCE["Containers"]
        expected = {
            "ModelPackageName": "oak",
            "ModelPackageArn": arn,
            "CreationTime": served.now,
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "CertifyForMarketplace": False,
            "InferenceSpecification": {
                **INFERENCE,
                "Containers": [{**container, "ImageDigest": DIGEST, "IsCheckpoint": False}],
            },
        }
        assert described(served) == described(served, arn) == expected
        assert served.store.unfinished_resources() == []

    def test_a_profile_plans_a_model_and_a_job(self, served: Served) -> None:
        served.call("CreateModelPackage", {**REQUEST, "ValidationSpecification": VALIDATION})
        assert served.hints == 1
        assert served.store.unfinished_resources() == ["model-package/oak"]
        shown = described(served)
        assert shown["ModelPackageStatus"] == "Pending"
        assert shown["ModelPackageStatusDetails"]["ValidationStatuses"] == [{"Name": "batch", "Status": "NotStarted"}]
        definition = shown["ValidationSpecification"]["ValidationProfiles"][0]["TransformJobDefinition"]
        assert definition["TransformOutput"]["KmsKeyId"] == ""
        package = served.store.resource(ModelPackage, "oak")
        assert package is not None
        assert package.plan is not None
        assert package.plan.transform.name == package.plan.model.name == "oak-batch-00000001"
        assert package.plan.transform.containers[0].model_uri == ARCHIVE
        assert package.plan.transform.role_arn == ROLE
        text = refusal(served, "DeleteModelPackage", ModelPackageName="oak")
        assert text == "Cannot delete ModelPackage in Pending status"

    def test_a_profile_that_is_to_be_skipped_is_kept_and_not_run(self, served: Served) -> None:
        skipped = {**REQUEST, "ValidationSpecification": VALIDATION, "SkipModelValidation": "All"}
        served.call("CreateModelPackage", skipped)
        assert described(served)["ModelPackageStatus"] == "Completed"
        assert described(served)["ValidationSpecification"]["ValidationRole"] == ROLE

    def test_what_is_recorded_comes_back(self, served: Served) -> None:
        recorded = {
            "ModelPackageDescription": "an oak",
            "Domain": "COMPUTER_VISION",
            "Task": "OTHER",
            "SamplePayloadUrl": "s3://data/sample.tar.gz",
            "CustomerMetadataProperties": {"a": "1"},
            "MetadataProperties": {"CommitId": "1"},
            "ModelMetrics": {"ModelQuality": {"Statistics": {"ContentType": "t", "S3Uri": "s3://data/x"}}},
            "DriftCheckBaselines": {"Bias": {"ConfigFile": {"S3Uri": "s3://data/x"}}},
            "SourceUri": "s3://data/x",
            "ModelCard": {"ModelCardContent": "{}", "ModelCardStatus": "Draft"},
            "ModelLifeCycle": {"Stage": "a", "StageStatus": "b"},
            "ModelApprovalStatus": "Approved",
            "ModelPackageRegistrationType": "Registered",
        }
        served.call("CreateModelPackage", {**REQUEST, **recorded})
        shown = described(served)
        assert {name: shown[name] for name in recorded} == recorded
        least = served.sagemaker("DescribeModelPackage", ModelPackageName="oak", IncludedData="MetadataOnly")
        assert least["ModelCard"] == {"ModelCardContent": "", "ModelCardStatus": "Draft"}

    def test_a_taken_name_is_refused_in_words_that_the_sdk_knows(self, served: Served) -> None:
        served.call("CreateModelPackage", {**REQUEST, "ClientToken": "one"})
        text = refusal(served, "CreateModelPackage", **REQUEST, ClientToken="two")
        assert text == f"ModelPackage already exists: {ACCOUNT}:model-package/oak"
        again = served.call("CreateModelPackage", {**REQUEST, "ClientToken": "one"})
        assert again["ModelPackageArn"] == f"{ACCOUNT}:model-package/oak"

    def test_a_deleted_package_is_gone_at_once_and_its_models_stay(self, served: Served) -> None:
        served.call("CreateModelPackage", REQUEST)
        served.sagemaker("CreateModel", ModelName="m", PrimaryContainer={"ModelPackageName": "oak"})
        served.sagemaker("DeleteModelPackage", ModelPackageName="oak")
        for operation in ("DescribeModelPackage", "DeleteModelPackage"):
            text = refusal(served, operation, ModelPackageName="oak")
            assert text == f"ModelPackage {ACCOUNT}:model-package/oak does not exist."
        assert served.sagemaker("DescribeModel", ModelName="m")["PrimaryContainer"]["ModelPackageName"] == "oak"
        served.call("CreateModelPackage", REQUEST)


class TestOfAnAlgorithm:
    def test_it_has_the_algorithms_specification_with_its_own_artifact(self, served: Served) -> None:
        algorithm(served)
        served.images["trees:1"] = "sha256:" + "0f" * 32  # a tag that has moved since
        source = {"SourceAlgorithms": [{"AlgorithmName": "trees", "ModelDataUrl": ARCHIVE}]}
        served.sagemaker("CreateModelPackage", ModelPackageName="oak", SourceAlgorithmSpecification=source)
        shown = described(served)
        (container,) = shown["InferenceSpecification"]["Containers"]
        assert (container["Image"], container["ImageDigest"], container["ModelDataUrl"]) == ("trees:1", DIGEST, ARCHIVE)
        assert "ProductId" not in container
        assert shown["InferenceSpecification"]["SupportedContentTypes"] == ["text/csv"]
        (told,) = shown["SourceAlgorithmSpecification"]["SourceAlgorithms"]
        assert told == {"AlgorithmName": f"{ACCOUNT}:algorithm/trees", "ModelDataUrl": ARCHIVE}
        assert shown["ModelPackageStatus"] == "Completed"

    def test_the_algorithm_must_be_there_and_completed_and_serve(self, served: Served) -> None:
        def tried(name: str) -> str:
            source = {"SourceAlgorithms": [{"AlgorithmName": name, "ModelDataUrl": ARCHIVE}]}
            return refusal(served, "CreateModelPackage", ModelPackageName="x", SourceAlgorithmSpecification=source)

        assert tried("absent") == f"Algorithm {ACCOUNT}:algorithm/absent does not exist."
        served.call("CreateAlgorithm", full_request())
        assert "is in Pending status; a model package needs one in Completed status." in tried("trees")
        served.store.change_algorithm("trees", lambda one: fail_validation(begin_validation(one), "no labels"))
        assert tried(f"{ACCOUNT}:algorithm/trees").endswith("Its validation failed: no labels")
        request = {**full_request(), "AlgorithmName": "bare"}
        del request["ValidationSpecification"], request["InferenceSpecification"]
        served.call("CreateAlgorithm", request)
        assert "Value 'bare' at 'sourceAlgorithmSpecification.sourceAlgorithms.1.member.algorithmName'" in tried("bare")


class TestVersions:
    def test_versions_are_counted_and_wait_for_approval(self, served: Served) -> None:
        first, second = version(served), version(served)
        assert (first, second) == tuple(f"{ACCOUNT}:model-package/forest/{number}" for number in (1, 2))
        shown = described(served, second)
        assert (shown["ModelPackageGroupName"], shown["ModelPackageVersion"]) == ("forest", 2)
        assert (shown["ModelApprovalStatus"], shown["ModelPackageStatus"]) == ("PendingManualApproval", "Completed")
        assert "ModelPackageName" not in shown
        assert described(served, "forest/2") == shown
        served.sagemaker("DeleteModelPackage", ModelPackageName=second)
        assert version(served).endswith("forest/3")

    def test_a_repeated_request_makes_no_second_version(self, served: Served) -> None:
        assert version(served, ClientToken="a") == version(served, ClientToken="a")
        assert version(served, ClientToken="b").endswith("forest/2")

    def test_a_group_by_its_arn(self, served: Served) -> None:
        version(served)
        arn = f"{ACCOUNT}:model-package-group/forest"
        request = {"ModelPackageGroupName": arn, "InferenceSpecification": INFERENCE}
        assert served.call("CreateModelPackage", request)["ModelPackageArn"] == f"{ACCOUNT}:model-package/forest/2"
        assert described(served, "forest/2")["ModelPackageGroupName"] == "forest"

    def test_approval_and_metadata_are_updated(self, served: Served) -> None:
        arn = version(served, CustomerMetadataProperties={"a": "1", "b": "2"})
        served.now += 60
        update = {
            "ModelPackageArn": arn,
            "ModelApprovalStatus": "Approved",
            "ApprovalDescription": "looks good",
            "CustomerMetadataProperties": {"b": "3"},
            "CustomerMetadataPropertiesToRemove": ["a", "unknown"],
            "AdditionalInferenceSpecificationsToAdd": [{"Name": "other", "Containers": [{"Image": "trees:1"}]}],
        }
        for _ in range(2):  # the second time changes nothing
            assert served.call("UpdateModelPackage", update) == {"ModelPackageArn": arn}
            shown = described(served, arn)
            assert (shown["ModelApprovalStatus"], shown["ApprovalDescription"]) == ("Approved", "looks good")
            assert shown["CustomerMetadataProperties"] == {"b": "3"}
            (added,) = shown["AdditionalInferenceSpecifications"]
            assert added["Containers"] == [{"Image": "trees:1", "ImageDigest": DIGEST, "IsCheckpoint": False}]
            assert shown["LastModifiedTime"] == shown["CreationTime"] + 60
            served.now += 60
        clash = {"Name": "other", "Containers": [{"Image": "trees:1", "Environment": {"A": "1"}}]}
        text = refusal(
            served, "UpdateModelPackage", ModelPackageArn=arn, AdditionalInferenceSpecificationsToAdd=[clash]
        )
        assert "Member must be unique" in text

    def test_a_version_may_get_its_specification_later(self, served: Served) -> None:
        arn = version(served, InferenceSpecification=None, ModelApprovalStatus="Approved")
        container = {"ModelPackageName": arn}
        text = refusal(served, "CreateModel", ModelName="m", PrimaryContainer=container)
        assert text == f"ModelPackage {arn} has no InferenceSpecification."
        served.sagemaker("UpdateModelPackage", ModelPackageArn=arn, InferenceSpecification=INFERENCE)
        served.sagemaker("CreateModel", ModelName="m", PrimaryContainer=container)

    def test_only_versions_are_updated(self, served: Served) -> None:
        served.call("CreateModelPackage", REQUEST)
        arn = f"{ACCOUNT}:model-package/oak"
        text = refusal(served, "UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved")
        assert text == f"ModelPackage {arn} is not a version of a group: it cannot be updated."

    def test_several_are_described_at_once(self, served: Served) -> None:
        one, absent = version(served), f"{ACCOUNT}:model-package/forest/9"
        answer = served.sagemaker("BatchDescribeModelPackage", ModelPackageArnList=[one, absent])
        assert answer["ModelPackageSummaries"][one]["ModelPackageVersion"] == 1
        failed = answer["BatchDescribeModelPackageErrorMap"][absent]
        assert failed == {"ErrorCode": "ValidationException", "ErrorResponse": f"ModelPackage {absent} does not exist."}


class TestGroups:
    def test_a_group_lives_until_it_is_empty_and_deleted(self, served: Served) -> None:
        arn = f"{ACCOUNT}:model-package-group/forest"
        tags = [{"Key": "a", "Value": "1"}]
        created = served.sagemaker(
            "CreateModelPackageGroup", ModelPackageGroupName="forest", ModelPackageGroupDescription="trees", Tags=tags
        )
        assert created == {"ModelPackageGroupArn": arn}
        assert served.sagemaker("ListTags", ResourceArn=arn)["Tags"] == tags
        for given in ("forest", arn):
            shown = served.sagemaker("DescribeModelPackageGroup", ModelPackageGroupName=given)
            assert (shown["ModelPackageGroupDescription"], shown["ModelPackageGroupStatus"]) == ("trees", "Completed")
        text = refusal(served, "CreateModelPackageGroup", ModelPackageGroupName="forest")
        assert text == f"Model Package Group already exists: {arn}"
        package = version(served)
        with pytest.raises(ConflictException, match="cannot be deleted because it still contains Model Packages"):
            served.sagemaker("DeleteModelPackageGroup", ModelPackageGroupName="forest")
        served.sagemaker("DeleteModelPackage", ModelPackageName=package)
        served.sagemaker("DeleteModelPackageGroup", ModelPackageGroupName=arn)
        for operation in ("DescribeModelPackageGroup", "DeleteModelPackageGroup"):
            told = refusal(served, operation, ModelPackageGroupName="forest")
            assert told == f"ModelPackageGroup {arn} does not exist."
        assert f"{arn} does not exist." in refusal(
            served, "CreateModelPackage", ModelPackageGroupName="forest", InferenceSpecification=INFERENCE
        )

    def test_lists(self, served: Served) -> None:
        served.call("CreateModelPackage", REQUEST)
        for group in ("forest", "grove"):
            version(served, group)
        version(served, "forest", ModelApprovalStatus="Approved", ModelPackageDescription="best")

        def listed(**filters: Any) -> list[str]:
            rows = served.call("ListModelPackages", filters)["ModelPackageSummaryList"]
            return [row["ModelPackageArn"].partition("model-package/")[2] for row in rows]

        assert listed() == ["oak"]
        assert listed(ModelPackageGroupName="forest") == ["forest/1", "forest/2"]
        assert listed(ModelPackageGroupName=f"{ACCOUNT}:model-package-group/grove") == ["grove/1"]
        assert listed(ModelPackageType="Versioned", SortBy="Name", SortOrder="Descending") == [
            "grove/1", "forest/2", "forest/1",
        ]  # fmt: skip
        assert listed(ModelPackageType="Both", NameContains="o") == ["oak", "forest/1", "grove/1", "forest/2"]
        assert listed(ModelApprovalStatus="Approved", ModelPackageType="Both") == ["forest/2"]
        (row,) = served.sagemaker("ListModelPackages", ModelPackageGroupName="forest", ModelApprovalStatus="Approved")[
            "ModelPackageSummaryList"
        ]
        assert (row["ModelPackageGroupName"], row["ModelPackageVersion"]) == ("forest", 2)
        assert (row["ModelPackageDescription"], row["ModelApprovalStatus"]) == ("best", "Approved")
        groups = served.sagemaker("ListModelPackageGroups", SortBy="Name", SortOrder="Descending", MaxResults=1)
        assert [row["ModelPackageGroupName"] for row in groups["ModelPackageGroupSummaryList"]] == ["grove"]
        assert "NextToken" in groups
