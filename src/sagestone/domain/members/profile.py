"""What is done with each member of ValidationSpecification: one line each, path, treatment, note.

The members of a profile's TrainingJobDefinition (`*T`, `*D` its channels) stand in CreateTrainingJob too.
`domain.members.tables` reads the tables and says what the abbreviations mean.
"""

TABLE = """
ValidationSpecification.ValidationRole                  recorded  shown by the jobs; S3 takes the service's own keys
ValidationSpecification.ValidationProfiles.ProfileName  honoured  names the item in ValidationStatuses and the jobs

*T.TrainingInputMode  honoured  File, Pipe, FastFile: for channels without an InputMode
"""

DEFINITION = """
*T.HyperParameters  honoured  checked, and written to hyperparameters.json as text

*D.ChannelName                                     honoured  directory or FIFOs below /opt/ml/input/data
*D.ContentType                                     honoured  told to the container
*D.CompressionType                                 honoured  None; Gzip in Pipe mode, where it is undone
*D.RecordWrapperType                               honoured  None; RecordIO in Pipe mode: a record for each object
*D.InputMode                                       honoured  wins over the job's; not described
*D.ShuffleConfig.Seed                              honoured  order and shards, for each epoch anew (Pipe); not described
*D.DataSource.S3DataSource.S3DataType              honoured  S3Prefix, ManifestFile; AugmentedManifestFile in Pipe mode
*D.DataSource.S3DataSource.S3Uri                   honoured  s3:// or the store's https form
*D.DataSource.S3DataSource.S3DataDistributionType  honoured
*D.DataSource.S3DataSource.AttributeNames          honoured  of an AugmentedManifestFile, else only recorded
*D.DataSource.S3DataSource.InstanceGroupNames      honoured  only the hosts of these groups get the channel
*D.DataSource.S3DataSource.ModelAccessConfig       refused   there are no gated models here
*D.DataSource.S3DataSource.HubAccessConfig         refused   there is no hub here
*D.DataSource.FileSystemDataSource.FileSystemId          honoured  one that the settings say where it is mounted
*D.DataSource.FileSystemDataSource.FileSystemType        honoured  as the settings have it
*D.DataSource.FileSystemDataSource.FileSystemAccessMode  honoured  ro is enforced by the mount
*D.DataSource.FileSystemDataSource.DirectoryPath         honoured  below the mounted directory; File mode only
*D.DataSource.DatasetSource                        refused   there is no hub here

*T.OutputDataConfig.S3OutputPath     honoured  PATH/JOB/output/model.tar.gz
*T.OutputDataConfig.CompressionType  honoured  GZIP, NONE (not with a transform of the trained model); not described
*T.OutputDataConfig.KmsKeyId         honoured  a usable KMS key: artifacts are encrypted with it

*T.ResourceConfig.InstanceType              honoured  size of the containers, bounded by the machine
*T.ResourceConfig.InstanceCount             honoured  1,000 at most, of all groups together
*T.ResourceConfig.VolumeSizeInGB            honoured  quota of what the job downloads and writes; 0 or absent: none
*T.ResourceConfig.VolumeKmsKeyId            honoured  a usable KMS key encrypts the volume, or it is refused
*T.ResourceConfig.KeepAlivePeriodInSeconds  recorded  a validation keeps no warm pool; not described
*T.ResourceConfig.InstanceGroups            honoured  1 to 5; without InstanceType, InstanceCount and warm pool
*T.ResourceConfig.TrainingPlanArn           refused   there are no training plans here
*T.ResourceConfig.InstancePlacementConfig   refused   instances are placed by the service
*T.ResourceConfig.InstancePreferences       refused   one type must be chosen
*T.ResourceConfig.SelectedInstanceType      refused   read-only
*T.ResourceConfig.SelectedInstanceCount     refused   read-only

*T.StoppingCondition.MaxRuntimeInSeconds      honoured  SIGTERM, a grace time, SIGKILL; at most 28 days, default one
*T.StoppingCondition.MaxWaitTimeInSeconds     recorded  not below MaxRuntimeInSeconds; no spot here; not described
*T.StoppingCondition.MaxPendingTimeInSeconds  honoured  without instances for so long it is Stopped; not described
"""
