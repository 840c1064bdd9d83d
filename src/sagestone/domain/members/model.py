"""What is done with each member of CreateModel: one line each, path, treatment, note.

`*P` is PrimaryContainer, `*C` each of Containers; both are containers of the same shape.
`domain.members.tables` reads it.
"""

_CONTAINER = """
?.ContainerHostname           honoured  unique; the container's name in a pipeline and in its logs
?.Image                       honoured  resolved to a digest at creation; the digest is what runs
?.ImageConfig                 recorded  Platform; Vpc is refused, as there are no private registries of a VPC
?.Mode                        recorded  SingleModel; transform jobs refuse a model of MultiModel
?.ModelDataUrl                honoured  must exist at creation; unpacked into /opt/ml/model
?.ModelDataSource             recorded  for endpoints; transform jobs refuse such a model, as on AWS
?.AdditionalModelDataSources  recorded  for endpoints; transform jobs refuse such a model
?.Environment                 honoured  at most 32 KB in one container and in all together
?.ModelPackageName            honoured  a name or an ARN; Completed, and a version must be Approved
?.InferenceSpecificationName  honoured  one of the package's AdditionalInferenceSpecifications
?.MultiModelConfig            recorded  for endpoints
?.ContainerMetricsConfig      recorded  for endpoints
"""

TABLE = f"""
ModelName                      honoured  key of the resource; unique in the deployment
{_CONTAINER.replace("?", "*P")}
{_CONTAINER.replace("?", "*C")}
InferenceExecutionConfig.Mode  honoured  Serial; transform jobs refuse a model of Direct, which is for endpoints
ExecutionRoleArn               honoured  whose keys containers get that are not isolated; S3 takes the service's own
Tags.Key                       honoured  unique in a request, never beginning with aws:
Tags.Value                     honoured
VpcConfig                      recorded  containers have no network but their job's, which no group or subnet widens
EnableNetworkIsolation         honoured  without it containers get their role's keys; no network in either case
"""
