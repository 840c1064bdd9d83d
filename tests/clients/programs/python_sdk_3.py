"""A registered algorithm trained by the ModelTrainer of SageMaker SDK 3; run with REQUEST.json SEEN.json."""

import json
import sys
from pathlib import Path

from sagemaker.core.helper.session_helper import Session
from sagemaker.core.resources import TrainingJob
from sagemaker.core.shapes import OutputDataConfig, StoppingCondition
from sagemaker.core.training.configs import Compute, InputData
from sagemaker.core.utils.utils import configure_logging
from sagemaker.train import ModelTrainer

request = json.loads(Path(sys.argv[1]).read_text())
seen: dict[str, object] = {}
configure_logging("INFO")  # the lines of the containers are told at this level
session = Session(default_bucket=request["bucket"])
trainer = ModelTrainer(
    algorithm_name=request["algorithm_arn"],
    role=request["role"],
    sagemaker_session=session,
    base_job_name="sdk3",
    compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=1),
    output_data_config=OutputDataConfig(s3_output_path=f"s3://{request['bucket']}/models"),
    stopping_condition=StoppingCondition(max_runtime_in_seconds=60),
    hyperparameters={"mode": "plain"},
)
channel = InputData(channel_name="train", data_source=request["data"], content_type="text/csv")
trainer.train(input_data_config=[channel], wait=True, logs=True)
job = TrainingJob.get(trainer._latest_training_job.training_job_name)
seen["job"], seen["status"] = job.training_job_name, job.training_job_status
seen["model"] = job.model_artifacts.s3_model_artifacts
seen["hyperparameters"] = job.hyper_parameters
Path(sys.argv[2]).write_text(json.dumps(seen))
