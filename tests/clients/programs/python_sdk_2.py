"""An algorithm used by SageMaker Python SDK 2; run with REQUEST.json SEEN.json."""

import json
import sys
from pathlib import Path

import sagemaker
from sagemaker.analytics import TrainingJobAnalytics

request = json.loads(Path(sys.argv[1]).read_text())
seen: dict[str, object] = {}
session = sagemaker.Session(default_bucket=request["bucket"])
algorithm, role = request["algorithm_arn"], request["role"]

# Objects: the default bucket is made, a file of 9 MiB goes up in parts, all comes back
seen["bucket"] = session.default_bucket()
Path("up").mkdir()
Path("up/rows.csv").write_text("1,2\n3,4\n")
Path("up/large").write_bytes(bytes(range(256)) * (9 << 12))
data = session.upload_data("up", key_prefix="training")
seen["files"] = session.list_s3_files(request["bucket"], "training")
session.download_data("down", request["bucket"], "training")
seen["same"] = Path("down/large").read_bytes() == Path("up/large").read_bytes()
seen["read"] = session.read_s3_file(request["bucket"], "training/rows.csv")
session.upload_string_as_file_body("r1\nr2\n", request["bucket"], "batch/rows.csv")

# Training, with its logs
estimator = sagemaker.AlgorithmEstimator(
    algorithm_arn=algorithm,
    role=role,
    instance_count=1,
    instance_type="ml.m5.large",
    sagemaker_session=session,
    base_job_name="sdk2",
    tags=[{"Key": "team", "Value": "sdk2"}],
)
estimator.set_hyperparameters(mode="plain")
estimator.fit({"train": sagemaker.inputs.TrainingInput(data, content_type="text/csv")}, logs=True)
job = estimator.latest_training_job.name
seen["job"], seen["model"] = job, estimator.model_data
try:
    estimator.set_hyperparameters(unknown="1")
    estimator.fit({"train": data}, wait=False)
except ValueError as refusal:
    seen["unknown"] = str(refusal)

# What it measured
frame = TrainingJobAnalytics(job, metric_names=["loss"], sagemaker_session=session).dataframe()
seen["metrics"] = [[row.metric_name, row.value] for row in frame.itertuples()]

# Which job its model is of, as `Estimator.register` finds out with Search
made = {"Name": "ModelArtifacts.S3ModelArtifacts", "Operator": "Equals", "Value": estimator.model_data}
found = session.search("TrainingJob", {"Filters": [made]})["Results"]
seen["trained_by"] = [each["TrainingJob"]["TrainingJobName"] for each in found]

# Another process attaches to it, and transforms with its model
attached = sagemaker.AlgorithmEstimator.attach(job, sagemaker_session=session)
seen["attached"] = [attached.algorithm_arn, attached.hyperparameters(), attached.model_data]
transformer = attached.transformer(
    1, "ml.m5.large", assemble_with="Line", accept="text/csv", output_path=f"s3://{request['bucket']}/out"
)
source = f"s3://{request['bucket']}/batch"
transformer.transform(source, content_type="text/csv", split_type="Line", logs=True, wait=True)
seen["served"] = transformer.model_name
transformer.delete_model()
written = session.list_s3_files(request["bucket"], "out")
seen["outputs"] = {key: session.read_s3_file(request["bucket"], key) for key in written}
Path(sys.argv[2]).write_text(json.dumps(seen))
