"""What is done with each member of a transform's definition: one line each, path, treatment, note.

The same members stand in a validation profile's TransformJobDefinition (`*X` means it there) and in CreateTransformJob.
`domain.members.tables` reads the tables and says what the abbreviations mean.
"""

DEFINITION = """
*X.MaxConcurrentTransforms                            honoured  of each instance, at most 100; 0: as the container says
*X.MaxPayloadInMB                                     honoured  1024 × 1024 bytes each; 0 sends chunks; at most 100
*X.BatchStrategy                                      honoured
*X.Environment                                        honoured  wins over the container's
*X.TransformInput.ContentType                         honoured
*X.TransformInput.CompressionType                     honoured  None, Gzip
*X.TransformInput.SplitType                           honoured  None, Line, RecordIO, TFRecord
*X.TransformInput.DataSource.S3DataSource.S3DataType  honoured  S3Prefix, ManifestFile; others are refused
*X.TransformInput.DataSource.S3DataSource.S3Uri       honoured
*X.TransformOutput.S3OutputPath                       honoured  PATH/KEY-BELOW-THE-PREFIX.out
*X.TransformOutput.Accept                             honoured
*X.TransformOutput.AssembleWith                       honoured  None, Line
*X.TransformOutput.KmsKeyId                           honoured  a usable KMS key: results are encrypted with it
*X.TransformResources.InstanceType                    honoured
*X.TransformResources.InstanceCount                   honoured  objects are dealt out over the instances; at most 100
*X.TransformResources.VolumeKmsKeyId                  honoured  a usable KMS key encrypts the volume, or it is refused
*X.TransformResources.TransformAmiVersion             refused   there is no machine image to choose
"""

TABLE = """
TransformJobName                               honoured  unique, whatever the case of its letters
ModelName                                      honoured  the job keeps what the model says when the job is created
ModelClientConfig.InvocationsTimeoutInSeconds  honoured  600 by default
ModelClientConfig.InvocationsMaxRetries        honoured  3 by default
DataProcessing.InputFilter                     honoured  the service's JSONPath subset, on CSV, JSON, JSON Lines
DataProcessing.OutputFilter                    honoured  the same, after the join
DataProcessing.JoinSource                      honoured  None, Input
DataCaptureConfig.DestinationS3Uri             honoured  manifests below input and output, by year, month, day, hour
DataCaptureConfig.GenerateInferenceId          honoured  an id and a time for each record of the output
DataCaptureConfig.KmsKeyId                     honoured  a usable KMS key: manifests are encrypted with it
ExperimentConfig                               recorded  given back; there are no experiments here
Tags.Key                                       honoured  unique in a request, never beginning with aws:
Tags.Value                                     honoured
"""
