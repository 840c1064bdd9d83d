"""What is done with each member of CreateModelPackage and UpdateModelPackage: one line each, path, treatment, note.

`*I` is InferenceSpecification, `*C` each of its Containers; `*A` is an additional one, which has the same members.
`domain.members.tables` reads it and says what the abbreviations mean.
"""

_CONTAINERS = """
?.ContainerHostname           honoured  unique; the container's name in a pipeline
?.Image                       honoured  resolved to a digest; needed where the package is served
?.ImageDigest                 honoured  if given it must be the image's; always described
?.ModelDataUrl                honoured  looked up when a model or a job is made
?.ModelDataSource             recorded  CreateModel refuses such a package: there are no endpoints here
?.AdditionalModelDataSources  recorded  CreateModel refuses such a package
?.AdditionalS3DataSource      recorded  CreateModel refuses such a package; a validation does not get it, as on AWS
?.ModelDataETag               refused   the archive's ETag is not compared
?.ProductId                   recorded
?.Environment                 honoured  of the serving container; that of the model wins
?.ModelInput.DataInputConfig  recorded  must be JSON
?.Framework                   recorded
?.FrameworkVersion            recorded
?.NearestModelName            recorded
?.IsCheckpoint                recorded
?.BaseModel                   recorded
"""

_SPECIFICATION = """
?.SupportedTransformInstanceTypes          honoured  of the validation and of jobs with the package's model
?.SupportedRealtimeInferenceInstanceTypes  recorded  for endpoints, which are not served yet
?.SupportedContentTypes                    honoured  the transform's ContentType must be among them
?.SupportedResponseMIMETypes               honoured  the transform's Accept must be among them
"""

_SHARED = f"""
{_SPECIFICATION.replace("?", "*I")}
{_CONTAINERS.replace("?", "*C")}
*A.Name         honoured  InferenceSpecificationName of CreateModel chooses it; unique
*A.Description  recorded
{_SPECIFICATION.replace("?", "*A")}
{_CONTAINERS.replace("?", "*A.Containers")}
ModelApprovalStatus           honoured  a version must be Approved to become a model
ModelPackageRegistrationType  recorded
CustomerMetadataProperties    recorded
SourceUri                     recorded
ModelCard                     recorded
ModelLifeCycle                recorded
"""

CREATE = f"""
ModelPackageName         honoured  of an unversioned package
ModelPackageGroupName    honoured  a name or an ARN; the next version of the group is made
ModelPackageDescription  recorded
ClientToken              honoured  the same one again, for the newest version or the same name, is the same request

SourceAlgorithmSpecification.SourceAlgorithms.AlgorithmName    honoured  a name or an ARN; it must be Completed
SourceAlgorithmSpecification.SourceAlgorithms.ModelDataUrl     honoured  served by its containers
SourceAlgorithmSpecification.SourceAlgorithms.ModelDataSource  refused   packages of algorithms serve an archive
SourceAlgorithmSpecification.SourceAlgorithms.ModelDataETag    refused   the archive's ETag is not compared

ValidationSpecification.ValidationRole                   recorded  shown by the job; S3 takes the service's own keys
ValidationSpecification.ValidationProfiles.ProfileName   honoured  names the item in ValidationStatuses and the job
SkipModelValidation                                      honoured  All: the profile is kept and not run
CertifyForMarketplace                                    refused   when true: there is no image scanner here yet
Tags.Key                                                 honoured  not for versions, which have those of their group
Tags.Value                                               honoured
MetadataProperties                                       recorded
ModelMetrics                                             recorded
DriftCheckBaselines                                      recorded
Domain                                                   recorded
Task                                                     recorded
SamplePayloadUrl                                         recorded
SecurityConfig.KmsKeyId                                  refused   unless empty: the state is not encrypted
ManagedStorageType                                       refused   there is no managed storage
{_SHARED}
"""

UPDATE = f"""
ModelPackageArn                     honoured  of a version: unversioned packages cannot be updated
ApprovalDescription                 recorded
CustomerMetadataPropertiesToRemove  honoured
ClientToken                         honoured  the same update again changes nothing
{_SHARED}
"""
