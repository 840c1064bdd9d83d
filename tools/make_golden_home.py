"""Writes tests/golden/homes/NAME: the home of a real service that was killed at work, for the tests of upgrades.

    uv run python -m tools.make_golden_home NAME

Run it once for each release and keep what older ones wrote: `tests/system/test_upgrade.py` opens every one of them. The
keys in it are those of a service that is gone.
"""

import sys
import tempfile
from pathlib import Path

from tests.golden_home import GOLDEN, write_golden
from tests.system.prepared import prepared_service
from tests.system.programs import serving_archive, training_archive
from tests.system.service import eventually
from tests.system.training import log_of, reaches, train, training_request
from tests.system.validation import specification, validate


def main(name: str) -> None:
    """Run a service, fill its home, kill it while a job runs, and write down what it kept and had shown."""
    with tempfile.TemporaryDirectory(prefix="sagestone-golden-") as scratch:
        directory = Path(scratch)
        archives = [str(write(directory).path) for write in (training_archive, serving_archive)]
        with prepared_service(directory, {"SAGESTONE_RUNTIME": "sandbox"}, archives) as service:
            sagemaker, s3 = service.client("sagemaker"), service.client("s3")
            validate(service, specification("validated", "tests/train:1", "tests/serve:1"))
            algorithm = sagemaker.describe_algorithm(AlgorithmName="validated")
            tags = [{"Key": "team", "Value": "forest"}]
            sagemaker.add_tags(ResourceArn=algorithm["AlgorithmArn"], Tags=tags)
            job = train(service, training_request("done"))
            upload = s3.create_multipart_upload(Bucket="tests", Key="joined")["UploadId"]
            s3.upload_part(Bucket="tests", Key="joined", UploadId=upload, PartNumber=1, Body=b"one part\n")
            long = {"StoppingCondition": {"MaxRuntimeInSeconds": 600}}
            sagemaker.create_training_job(**training_request("running", "polite", **long))
            reaches(service, "running", "Training")
            eventually(lambda: "mode polite on algo-1" in log_of(service, "running"), "it has written")
            objects = s3.list_objects_v2(Bucket="tests")["Contents"]
            for shown in (algorithm, job):
                del shown["ResponseMetadata"]
            expected = {
                "algorithm": algorithm,
                "tags": tags,
                "job": job,
                "log": log_of(service, "done"),
                "objects": {each["Key"]: each["ETag"] for each in objects},
                "upload": upload,
                "running": "running",
            }
            service.kill()
            write_golden(service.home, GOLDEN / name, expected)
            service.start()
            service.client("sagemaker").stop_training_job(TrainingJobName="running")
            eventually(lambda: not any((service.home / "jobs").glob("training/*")), "nothing runs any more")


if __name__ == "__main__":
    main(sys.argv[1])
