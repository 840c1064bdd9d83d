"""What is done with the members of CreateTrainingJob that a profile's job lacks, or has otherwise: one line each.

`domain.members.tables` reads it after the table that both share, and says what the abbreviations mean.
"""

TABLE = """
TrainingJobName  honoured  key of the job; unique in the deployment, free again after DeleteTrainingJob
RoleArn          honoured  names the container's credentials; data and artifacts take the service's own keys
Tags.Key         honoured  unique in a request, never beginning with aws:
Tags.Value       honoured

*A.AlgorithmName                                      honoured  name or ARN of a Completed one, whose rules hold
*A.TrainingImage                                      honoured  or AlgorithmName; pinned to its digest
*A.TrainingInputMode                                  honoured  File, Pipe, FastFile: for channels without an InputMode
*A.MetricDefinitions.Name                             honoured  unique; refused with AlgorithmName
*A.MetricDefinitions.Regex                            honoured  searched in stdout and stderr while they come
*A.EnableSageMakerMetricsTimeSeries                   recorded  the final metrics are kept in any case
*A.ContainerEntrypoint                                honoured  instead of ENTRYPOINT; not with AlgorithmName
*A.ContainerArguments                                 honoured  instead of train; not with AlgorithmName
*A.TrainingImageConfig.TrainingRepositoryAccessMode   honoured  Platform; Vpc is refused
*A.TrainingImageConfig.TrainingRepositoryAuthConfig   refused   log in to the registry with the container engine

ResourceConfig.KeepAlivePeriodInSeconds  honoured  instances are kept for a job that matches
StoppingCondition.MaxWaitTimeInSeconds  honoured  with EnableManagedSpotTraining, else refused, as on AWS

Environment                            honoured  TRAINING_JOB_NAME, TRAINING_JOB_ARN and AWS_REGION are the service's
EnableNetworkIsolation                 honoured  false: reaches what the machine reaches, see training.md
EnableInterContainerTrafficEncryption  recorded  traffic between the hosts of a job never leaves the machine
EnableManagedSpotTraining              honoured  capacity is taken away by `sagestone interrupt`; the job runs again
VpcConfig                              recorded  shown; no subnet or group widens or narrows anything
CheckpointConfig.S3Uri                 honoured  restored at the start, kept up to date from then on
CheckpointConfig.LocalPath             honoured  any absolute path but the platform's; default /opt/ml/checkpoints
RetryStrategy                          honoured  a job that failed for a reason of ours (InternalServerError) runs again
DebugHookConfig                        recorded  shown; no debugger collects anything
DebugRuleConfigurations                recorded  shown; no rule is evaluated
ProfilerConfig                         recorded  shown; nothing is profiled, and ProfilingStatus says Disabled
ProfilerRuleConfigurations             recorded  shown; no rule is evaluated
TensorBoardOutputConfig.S3OutputPath   honoured  PATH/JOB/tensorboard-output/, kept up to date from the start on
TensorBoardOutputConfig.LocalPath      honoured  any absolute path that is free; default /opt/ml/output/tensorboard
ExperimentConfig                       recorded  shown; there is no experiment tracking here
RemoteDebugConfig.EnableRemoteDebug    refused   when true: there is no way into a running container
InfraCheckConfig.EnableInfraCheck      refused   when true: the machine is not checked before a job
SessionChainingConfig                  refused   when true: there are no sessions with tags
ServerlessJobConfig                    refused   a job runs an image on instances
MlflowConfig                           refused   there is no MLflow here
ModelPackageConfig                     refused   register what was trained with CreateModelPackage
"""
