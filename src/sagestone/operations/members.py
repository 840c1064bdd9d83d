"""The members of the served operations that have few, and the refusal of those nobody has thought of.

Operations whose requests have many members inside members are in `domain.members.tables`.

The service model that is installed may be newer than this table: a member that is not in it is refused, never ignored.
"""

from collections.abc import Mapping
from typing import Any, Final

from sagestone.operations.kms.members import KMS_MEMBERS
from sagestone.wire.call import Call
from sagestone.wire.errors import (
    InvalidParameterException,
    InvalidParameterValue,
    ServiceError,
    ValidationError,
    ValidationException,
)

_LIST: Final = {
    "NameContains": "case-sensitive",
    "CreationTimeAfter": "",
    "CreationTimeBefore": "",
    "SortBy": "CreationTime by default",
    "SortOrder": "Ascending by default",
    "MaxResults": "100 by default",
    "NextToken": "opaque; stays good while rows come and go",
}
_LIST_JOBS: Final = {**_LIST, "LastModifiedTimeAfter": "", "LastModifiedTimeBefore": "", "StatusEquals": ""}
_GROUP: Final = {"logGroupName": "", "logGroupIdentifier": "a name or an ARN of this deployment"}
_UNMASK: Final = {"unmask": "nothing is masked, so both values mean the same"}

#: (service, operation) → member → what there is to say about it. A note that begins with "refused" is meant so.
MEMBERS: Final[Mapping[tuple[str, str], Mapping[str, str]]] = {
    ("sagemaker", "DescribeAlgorithm"): {"AlgorithmName": "a name or an ARN of this region and account"},
    ("sagemaker", "ListAlgorithms"): _LIST,
    ("sagemaker", "DeleteAlgorithm"): {"AlgorithmName": "a bare name; not while Pending, InProgress or Deleting"},
    ("sagemaker", "DescribeModel"): {"ModelName": ""},
    ("sagemaker", "ListModels"): {
        **_LIST,
        "CreationTimeAfter": "inclusive, as documented for models",
        "SortOrder": "Descending by default",
    },
    ("sagemaker", "DeleteModel"): {"ModelName": "jobs that run with the model go on"},
    ("sagemaker", "DescribeModelPackage"): {
        "ModelPackageName": "a name, GROUP/VERSION or an ARN",
        "IncludedData": "MetadataOnly leaves the content of the model card out",
    },
    ("sagemaker", "BatchDescribeModelPackage"): {"ModelPackageArnList": ""},
    ("sagemaker", "ListModelPackages"): {
        **_LIST,
        "ModelApprovalStatus": "",
        "ModelPackageGroupName": "a name or an ARN",
        "ModelPackageType": "Unversioned by default, Versioned where a group is named",
    },
    ("sagemaker", "DeleteModelPackage"): {"ModelPackageName": "not while Pending or InProgress; gone at once"},
    ("sagemaker", "CreateModelPackageGroup"): {
        "ModelPackageGroupName": "",
        "ModelPackageGroupDescription": "",
        "Tags": "",
        "ManagedConfiguration": "refused unless empty: there is no managed storage",
    },
    ("sagemaker", "DescribeModelPackageGroup"): {"ModelPackageGroupName": "a name or an ARN"},
    ("sagemaker", "ListModelPackageGroups"): {
        **_LIST,
        "CrossAccountFilterOption": "SameAccount; CrossAccount is refused",
    },
    ("sagemaker", "DeleteModelPackageGroup"): {"ModelPackageGroupName": "a name or an ARN; not while it has versions"},
    ("sagemaker", "AddTags"): {"ResourceArn": "a resource or job that exists here", "Tags": "at most 50"},
    ("sagemaker", "ListTags"): {"ResourceArn": "", "MaxResults": "one page holds all", "NextToken": "never given"},
    ("sagemaker", "DeleteTags"): {"ResourceArn": "", "TagKeys": ""},
    ("sagemaker", "DescribeTrainingJob"): {"TrainingJobName": ""},
    ("sagemaker", "ListTrainingJobs"): {
        **_LIST_JOBS,
        "WarmPoolStatusEquals": "",
        "TrainingPlanArnEquals": "refused: there are no training plans here",
    },
    ("sagemaker", "StopTrainingJob"): {"TrainingJobName": ""},
    ("sagemaker", "DeleteTrainingJob"): {"TrainingJobName": "of a job that has ended; its logs and objects stay"},
    ("sagemaker", "UpdateTrainingJob"): {
        "TrainingJobName": "",
        "ResourceConfig": "KeepAlivePeriodInSeconds, while the warm pool is Available; 0 ends it",
        "ProfilerConfig": "refused: there is no profiler here",
        "ProfilerRuleConfigurations": "refused: there is no profiler here",
        "RemoteDebugConfig": "refused: there is no way into a running container",
    },
    ("sagemaker", "DescribeTransformJob"): {"TransformJobName": ""},
    ("sagemaker", "ListTransformJobs"): {
        **_LIST_JOBS,
        "SortOrder": "Descending by default",
        "MaxResults": "10 by default",
    },
    ("sagemaker", "StopTransformJob"): {"TransformJobName": ""},
    ("sagemaker", "Search"): {
        "Resource": "TrainingJob, ModelPackage, ModelPackageGroup; of what cannot be made here there is none",
        "SearchExpression": "Filters, NestedFilters, SubExpressions, every operator",
        "SortBy": "LastModifiedTime by default",
        "SortOrder": "Descending by default",
        "MaxResults": "100 by default",
        "NextToken": "of the same search",
        "CrossAccountFilterOption": "SameAccount; CrossAccount is refused",
        "VisibilityConditions": "refused",
    },
    ("sagestone", "InterruptTrainingJob"): {"TrainingJobName": "of a job with EnableManagedSpotTraining that runs"},
    ("sagestone", "CleanHome"): {"DryRun": "only tells what would go"},
    ("sagestone", "DrainMachine"): {"Draining": "left out: only tells how things are"},
    ("logs", "DescribeLogGroups"): {
        "logGroupNamePrefix": "",
        "logGroupNamePattern": "part of the name",
        "logGroupClass": "every group is STANDARD",
        "limit": "50 by default",
        "nextToken": "",
        "accountIdentifiers": "refused unless empty",
        "includeLinkedAccounts": "refused when true",
        "logGroupIdentifiers": "refused",
    },
    ("logs", "DescribeLogStreams"): {
        **_GROUP,
        "logStreamNamePrefix": "",
        "orderBy": "",
        "descending": "",
        "limit": "50 by default",
        "nextToken": "given only when more streams match",
    },
    ("logs", "GetLogEvents"): {
        **_GROUP,
        **_UNMASK,
        "logStreamName": "",
        "startTime": "inclusive",
        "endTime": "exclusive",
        "limit": "10,000 by default, and about 1 MB",
        "startFromHead": "",
        "nextToken": "f/… goes forward, b/… backward; an empty page is the end",
    },
    ("logs", "FilterLogEvents"): {
        **_GROUP,
        **_UNMASK,
        "logStreamNames": "",
        "logStreamNamePrefix": "",
        "startTime": "inclusive",
        "endTime": "exclusive",
        "filterPattern": "terms, quoted phrases, ?any, -none; other forms are refused",
        "limit": "10,000 by default",
        "nextToken": "",
        "startFromHead": "true; refused when false",
        "interleaved": "events are always interleaved, as on AWS",
    },
    ("monitoring", "GetMetricStatistics"): {
        "Namespace": "/aws/sagemaker/TrainingJobs or TransformJobs; others have no metrics",
        "MetricName": "",
        "Dimensions": "TrainingJobName, or Host: JOB/algo-N, of a transform JOB/INSTANCE-ID",
        "StartTime": "moved to the beginning of its period",
        "EndTime": "exclusive",
        "Period": "from 1 s; at most 1,440 of them",
        "Statistics": "",
        "ExtendedStatistics": "p0 to p100; refused for periods of which not every value is known",
        "Unit": "None for the metrics of jobs, Percent for those of hosts",
    },
    ("monitoring", "GetMetricData"): {
        "MetricDataQueries": "MetricStat, percentiles with PartialData; Expression and AccountId are refused",
        "StartTime": "moved to the beginning of its period",
        "EndTime": "exclusive",
        "ScanBy": "TimestampDescending by default",
        "MaxDatapoints": "more than that are refused: every answer is whole",
        "NextToken": "never given",
        "LabelOptions": "labels hold no times",
    },
    ("monitoring", "ListMetrics"): {
        "Namespace": "",
        "MetricName": "",
        "Dimensions": "",
        "NextToken": "500 metrics on a page",
        "RecentlyActive": "",
        "IncludeLinkedAccounts": "there are no linked accounts",
        "OwningAccount": "there are no linked accounts",
    },
    **KMS_MEMBERS,
    ("sts", "GetCallerIdentity"): {},
    ("sts", "AssumeRole"): {
        "RoleArn": "any role of the account: every role exists",
        "RoleSessionName": "",
        "DurationSeconds": "3600 by default; from 900 to 43200",
        "SourceIdentity": "given back",
        "Tags": "no policy asks for them",
        "TransitiveTagKeys": "no policy asks for them",
        "ExternalId": "no policy asks for it",
        "Policy": "refused: there are no policies here",
        "PolicyArns": "refused: there are no policies here",
        "SerialNumber": "no policy asks for it",
        "TokenCode": "refused: there are no second factors here",
        "ProvidedContexts": "no policy asks for them",
        "MinimumSessionTokenSize": "a hint that has no effect",
    },
    ("iam", "GetRole"): {"RoleName": "every role exists, and SageMaker may assume it"},
    ("iam", "SimulatePrincipalPolicy"): {
        "PolicySourceArn": "a user or role of the account",
        "ActionNames": "1,000 decisions at most",
        "ResourceArns": "`*` where none is named",
        "PolicyInputList": "as if they were attached too; 20 at most, of 6,144 characters",
        **dict.fromkeys(
            ("PermissionsBoundaryPolicyInputList", "PolicyExclusionList", "ResourcePolicy"),
            "refused: only attached policies and PolicyInputList are evaluated",
        ),
        **dict.fromkeys(("ResourceOwner", "CallerArn"), "of resource policies, which there are none of"),
        "ContextEntries": "no statement has conditions that would ask for them",
        "ResourceHandlingOption": "of EC2 alone",
        "MaxItems": "every answer is whole",
        "Marker": "never given",
    },
}  # fmt: skip

#: What a service answers to a member that it does not take; the others answer ValidationException.
_REFUSALS: Final[Mapping[str, type[ServiceError]]] = {
    "logs": InvalidParameterException,
    "monitoring": InvalidParameterValue,
    "sts": ValidationError,
    "iam": ValidationError,
}


def refuse_unknown_members(call: Call) -> None:
    """Raises the service's exception where the call has members that the table does not name."""
    known: Mapping[str, Any] | None = MEMBERS.get((call.service, call.operation))
    if known is None or call.parameters.keys() <= known.keys():
        return
    names = ", ".join(sorted(call.parameters.keys() - known.keys()))
    text = (
        f"{names} of {call.operation} is not supported yet: this version does not know what to do with it; leave it out"
    )
    raise _REFUSALS.get(call.service, ValidationException)(text)
