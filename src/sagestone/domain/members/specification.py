"""What is done with each member of CreateAlgorithm outside its profiles: one line each, path, treatment, note.

`domain.members.tables` reads it and says what the abbreviations at the start of a path mean.
"""

TABLE = """
AlgorithmName          honoured  key of the resource; unique in the deployment
AlgorithmDescription   recorded  shown by Describe and List
CertifyForMarketplace  refused   when true: there is no image scanner here yet
Tags.Key               honoured  unique in a request, never beginning with aws:
Tags.Value             honoured

*S.TrainingImage                   honoured  resolved to a digest at creation; the digest is what runs
*S.TrainingImageDigest             honoured  if given it must be the image's; Describe always shows it
*S.SupportedTrainingInstanceTypes  honoured  the profile's type must be among them
*S.SupportsDistributedTraining     honoured  needed for more than one instance
*S.AdditionalS3DataSource          refused   together with a ValidationSpecification; else recorded

*H.Name          honoured  unique; values of other names are refused
*H.Description   recorded
*H.Type          honoured  how values are read and compared
*H.Range         honoured  kind must fit the type; bounds are inclusive
*H.IsTunable     recorded  for tuning jobs, which are not served yet
*H.IsRequired    honoured  a job without it, and without a default, is refused
*H.DefaultValue  honoured  written to hyperparameters.json where no value is given

*S.MetricDefinitions.Name                         honoured  unique
*S.MetricDefinitions.Regex                        honoured  searched in stdout and stderr while they come
*S.SupportedTuningJobObjectiveMetrics.Type        recorded  for tuning jobs, which are not served yet
*S.SupportedTuningJobObjectiveMetrics.MetricName  honoured  must be one of the MetricDefinitions

*S.TrainingChannels.Name                       honoured  unique; a profile may use these only
*S.TrainingChannels.Description                recorded
*S.TrainingChannels.IsRequired                 honoured  a profile without the channel is refused
*S.TrainingChannels.SupportedContentTypes      honoured  compared as exact text
*S.TrainingChannels.SupportedCompressionTypes  honoured
*S.TrainingChannels.SupportedInputModes        honoured  any mode may be declared

*I.SupportedTransformInstanceTypes          honoured  the profile's type must be among them
*I.SupportedRealtimeInferenceInstanceTypes  recorded  for endpoints, which are not served yet
*I.SupportedContentTypes                    honoured  the transform's ContentType must be among them
*I.SupportedResponseMIMETypes               honoured  the transform's Accept must be among them

*C.ContainerHostname           honoured  unique; the container's name in a pipeline and in its logs
*C.Image                       honoured  resolved to a digest at creation
*C.ImageDigest                 honoured  if given it must be the image's
*C.ModelDataUrl                honoured  served instead of the trained model
*C.ModelDataSource             refused   together with a transform; else recorded
*C.ModelDataETag               refused   together with a transform; else recorded
*C.AdditionalModelDataSources  refused   together with a transform; else recorded
*C.AdditionalS3DataSource      recorded  a validation's transform does not get it, as on AWS
*C.ProductId                   recorded  validation jobs have no network in any case
*C.Environment                 honoured  environment of the serving container
*C.ModelInput.DataInputConfig  recorded  must be JSON
*C.Framework                   recorded
*C.FrameworkVersion            recorded
*C.NearestModelName            recorded
*C.IsCheckpoint                recorded
*C.BaseModel                   recorded
"""
