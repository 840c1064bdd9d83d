// The life of an algorithm and of what is made with it, by the JavaScript SDK; run with REQUEST.json SEEN.json.
import { readFileSync, writeFileSync } from "node:fs";
import { CloudWatchClient, GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  paginateDescribeLogStreams,
  GetLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import * as s3kit from "@aws-sdk/client-s3";
import * as kit from "@aws-sdk/client-sagemaker";
import { STSClient, GetCallerIdentityCommand } from "@aws-sdk/client-sts";

const request = JSON.parse(readFileSync(process.argv[2]));
const name = request.algorithm.AlgorithmName;
const seen = {};
const sagemaker = new kit.SageMakerClient({});
const s3 = new s3kit.S3Client({});
const logs = new CloudWatchLogsClient({});
const call = (command, input) => sagemaker.send(new kit[`${command}Command`](input));
const quick = { client: sagemaker, maxWaitTime: 90, minDelay: 1, maxDelay: 1 };

async function until(describe, status, wanted) {
  for (let left = 450; left > 0; left--) {
    const found = await describe();
    if (wanted.includes(found[status])) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${status} is not ${wanted}`);
}

async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return { name: error.name, message: error.message, request: Boolean(error.$metadata.requestId) };
  }
  throw new Error("was not refused");
}

async function objectText(key) {
  const answer = await s3.send(new s3kit.GetObjectCommand({ Bucket: request.bucket, Key: key }));
  return answer.Body.transformToString();
}

// Objects
await s3.send(new s3kit.CreateBucketCommand({ Bucket: request.bucket }));
await s3kit.waitUntilBucketExists({ client: s3, maxWaitTime: 10 }, { Bucket: request.bucket });
await s3.send(new s3kit.PutObjectCommand({ Bucket: request.bucket, Key: "train/a b+ü.csv", Body: "1,2\n3,4\n" }));
await s3.send(new s3kit.PutObjectCommand({ Bucket: request.bucket, Key: "batch/rows.csv", Body: "r1\nr2\n" }));
seen.identity = (await new STSClient({}).send(new GetCallerIdentityCommand({}))).Arn;

// The algorithm
const created = await call("CreateAlgorithm", { ...request.algorithm, Tags: [{ Key: "team", Value: "js" }] });
const arn = created.AlgorithmArn;
const described = () => call("DescribeAlgorithm", { AlgorithmName: name });
seen.algorithm = await until(described, "AlgorithmStatus", ["Completed", "Failed"]);
await call("AddTags", { ResourceArn: arn, Tags: [{ Key: "more", Value: "x" }] });
await call("DeleteTags", { ResourceArn: arn, TagKeys: ["team"] });
seen.tags = (await call("ListTags", { ResourceArn: arn })).Tags;
await call("CreateAlgorithm", { AlgorithmName: `${name}-second`, TrainingSpecification: request.algorithm.TrainingSpecification });
seen.listed = [];
const pages = kit.paginateListAlgorithms({ client: sagemaker, pageSize: 1 }, { NameContains: name, SortBy: "Name" });
for await (const page of pages) seen.listed.push(page.AlgorithmSummaryList.map((row) => row.AlgorithmName));

// A training job of it
await call("CreateTrainingJob", request.training);
const job = request.training.TrainingJobName;
seen.waited = (await kit.waitUntilTrainingJobCompletedOrStopped(quick, { TrainingJobName: job })).state;
seen.training = await call("DescribeTrainingJob", { TrainingJobName: job });
seen.created = seen.training.CreationTime instanceof Date;
const group = "/aws/sagemaker/TrainingJobs";
seen.lines = [];
const streams = paginateDescribeLogStreams({ client: logs }, { logGroupName: group, logStreamNamePrefix: `${job}/` });
for await (const page of streams)
  for (const { logStreamName } of page.logStreams) {
    const input = { logGroupName: group, logStreamName, startFromHead: true };
    seen.lines.push(...(await logs.send(new GetLogEventsCommand(input))).events.map((event) => event.message));
  }
const metric = {
  Namespace: group,
  MetricName: "loss",
  Dimensions: [{ Name: "TrainingJobName", Value: job }],
  StartTime: seen.training.CreationTime,
  EndTime: new Date(Date.now() + 60000),
  Period: 60,
  Statistics: ["Average"],
};
seen.metric = (await new CloudWatchClient({}).send(new GetMetricStatisticsCommand(metric))).Datapoints;

// A package, a model and a transform job
const made = await call("CreateModelPackage", {
  ModelPackageName: `${name}-package`,
  SourceAlgorithmSpecification: {
    SourceAlgorithms: [{ AlgorithmName: arn, ModelDataUrl: seen.training.ModelArtifacts.S3ModelArtifacts }],
  },
});
const packaged = () => call("DescribeModelPackage", { ModelPackageName: made.ModelPackageArn });
seen.package = await until(packaged, "ModelPackageStatus", ["Completed", "Failed"]);
const container = { ModelPackageName: made.ModelPackageArn };
await call("CreateModel", { ModelName: name, PrimaryContainer: container, ExecutionRoleArn: request.training.RoleArn });
await call("CreateTransformJob", request.transform);
const transformed = { TransformJobName: request.transform.TransformJobName };
await kit.waitUntilTransformJobCompletedOrStopped(quick, transformed);
seen.transform = (await call("DescribeTransformJob", transformed)).TransformJobStatus;
const listing = await s3.send(new s3kit.ListObjectsV2Command({ Bucket: request.bucket, Prefix: "out/" }));
seen.outputs = {};
for (const { Key } of listing.Contents) seen.outputs[Key] = await objectText(Key);

// The end
seen.taken = await refusal(call("CreateAlgorithm", request.algorithm));
await call("DeleteModel", { ModelName: name });
await call("DeleteModelPackage", { ModelPackageName: made.ModelPackageArn });
await call("DeleteAlgorithm", { AlgorithmName: `${name}-second` });
await call("DeleteAlgorithm", { AlgorithmName: name });
await until(() => described().catch(() => ({ AlgorithmStatus: "Gone" })), "AlgorithmStatus", ["Gone"]);
seen.gone = await refusal(described());
writeFileSync(process.argv[3], JSON.stringify(seen));
