"""An algorithm, a training job and a transform job as objects of sagemaker-core 2; run with REQUEST.json SEEN.json."""

import json
import sys
from pathlib import Path
from typing import Any

import boto3
from sagemaker.core.resources import Algorithm, Model, ModelPackage, TrainingJob, TransformJob
from sagemaker.core.utils.code_injection.codec import pascal_to_snake
from sagemaker.core.utils.utils import configure_logging

request = json.loads(Path(sys.argv[1]).read_text())
seen: dict[str, object] = {}
configure_logging("INFO")  # the lines of the containers are told at this level


def words(document: Any) -> Any:
    """The request in the names that sagemaker-core has for its members."""
    if isinstance(document, dict):
        return {pascal_to_snake(name): words(value) for name, value in document.items()}
    return [words(each) for each in document] if isinstance(document, list) else document


# The algorithm
algorithm = Algorithm.create(**words(request["algorithm"]))
seen["first"] = algorithm.algorithm_status
algorithm.wait_for_status("Completed", poll=1, timeout=90)
algorithm.refresh()
seen["status"] = algorithm.algorithm_status
seen["image"] = Algorithm.get(algorithm_name=algorithm.algorithm_arn).training_specification.training_image
seen["all"] = [each.algorithm_name for each in Algorithm.get_all(name_contains=algorithm.algorithm_name)]

# A training job, with its logs
job = TrainingJob.create(**words(request["training"]))
job.wait(poll=1, logs=True)
seen["training"] = [job.training_job_status, job.final_metric_data_list[0].value]
seen["jobs"] = [each.training_job_name for each in TrainingJob.get_all(name_contains=job.training_job_name)]

# A transform job of its model
source = {"AlgorithmName": algorithm.algorithm_name, "ModelDataUrl": job.model_artifacts.s3_model_artifacts}
package = boto3.client("sagemaker").create_model_package(  # ModelPackage.create reads a name that the API has not
    ModelPackageName="core-package", SourceAlgorithmSpecification={"SourceAlgorithms": [source]}
)["ModelPackageArn"]
ModelPackage.get(model_package_name=package).wait_for_status("Completed", poll=1, timeout=90)
container = {"model_package_name": package}
Model.create(model_name="core-model", primary_container=container, execution_role_arn=request["training"]["RoleArn"])
transform = TransformJob.create(**words(request["transform"]))
transform.wait(poll=1, logs=True)
seen["transform"] = transform.transform_job_status

# The end
algorithm.delete()
algorithm.wait_for_delete(poll=1, timeout=90)
seen["left"] = [each.algorithm_name for each in Algorithm.get_all(name_contains=algorithm.algorithm_name)]
Path(sys.argv[2]).write_text(json.dumps(seen))
