"""Warm pools against the real service: instances that wait for a matching job, and what goes from one to the next."""

from typing import Any

from tests.system.service import RunningService, eventually
from tests.system.training import log_of, train, training_request


def warm_request(name: str, seconds: int = 300, **changes: Any) -> dict[str, Any]:
    cache = "cd $SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY && echo cached: $(cat *) && echo $TRAINING_JOB_NAME > kept"
    specified = {
        "TrainingImage": "tests/train:1",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/sh", "-c", cache],
    }
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    return training_request(
        name,
        **{
            "AlgorithmSpecification": specified,
            "ResourceConfig": {**resources, "KeepAlivePeriodInSeconds": seconds},
            **changes,
        },
    )


def pool(service: RunningService, name: str) -> dict[str, Any]:
    shown = service.client("sagemaker").describe_training_job(TrainingJobName=name)
    return dict(shown["WarmPoolStatus"])


def test_a_matching_job_takes_over_instances_and_cache(service: RunningService) -> None:
    first = train(service, warm_request("warm-1"))
    assert (first["TrainingJobStatus"], first.get("FailureReason")) == ("Completed", None)
    eventually(lambda: pool(service, "warm-1")["Status"] == "Available", "the pool is available")
    train(service, warm_request("warm-2", HyperParameters={"mode": "other"}))
    assert "cached: warm-1" in log_of(service, "warm-2")
    kept = pool(service, "warm-1")
    assert (kept["Status"], kept["ReusedByJob"]) == ("Reused", "warm-2")
    assert kept["ResourceRetainedBillableTimeInSeconds"] >= 0
    sagemaker = service.client("sagemaker")
    rows = sagemaker.list_training_jobs(WarmPoolStatusEquals="Available")["TrainingJobSummaries"]
    assert [row["TrainingJobName"] for row in rows] == ["warm-2"]
    (row,) = sagemaker.list_training_jobs(WarmPoolStatusEquals="Reused")["TrainingJobSummaries"]
    assert row["WarmPoolStatus"] == kept
    sagemaker.update_training_job(TrainingJobName="warm-2", ResourceConfig={"KeepAlivePeriodInSeconds": 0})
    eventually(lambda: pool(service, "warm-2")["Status"] == "Terminated", "the pool ends")
    sagemaker.delete_training_job(TrainingJobName="warm-2")


def test_a_pool_outlives_the_service(sandbox_service: RunningService) -> None:
    train(sandbox_service, warm_request("survivor-1"))
    eventually(lambda: pool(sandbox_service, "survivor-1")["Status"] == "Available", "the pool is available")
    sandbox_service.kill()
    sandbox_service.start()
    train(sandbox_service, warm_request("survivor-2", 1))
    assert "cached: survivor-1" in log_of(sandbox_service, "survivor-2")
    assert pool(sandbox_service, "survivor-1")["ReusedByJob"] == "survivor-2"
    eventually(lambda: pool(sandbox_service, "survivor-2")["Status"] == "Terminated", "the period is over")


def test_another_kind_of_job_does_not_take_it_over(sandbox_service: RunningService) -> None:
    train(sandbox_service, warm_request("kept-1"))
    train(sandbox_service, warm_request("isolated", 0, EnableNetworkIsolation=True))
    assert "ReusedByJob" not in pool(sandbox_service, "kept-1")  # on a small machine it has given way
    assert "cached: kept-1" not in log_of(sandbox_service, "isolated")
