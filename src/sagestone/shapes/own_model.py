"""The operations of Sagestone itself, which no AWS service has, in the form of a service model.

They are called as those of AWS are: AWS JSON, signed for the service `sagestone`, target `Sagestone.<Operation>`.
"""

from typing import Final

from sagestone.shapes.service_model import OperationFacts, ServiceModel

SERVICE: Final = "sagestone"
TARGET_PREFIX: Final = "Sagestone"

OWN_MODEL: Final = ServiceModel(
    service=SERVICE,
    target_prefix=TARGET_PREFIX,
    json_version="1.1",
    operations={
        "InterruptTrainingJob": OperationFacts(
            name="InterruptTrainingJob", input="InterruptTrainingJobRequest", output=None
        ),
        "DrainMachine": OperationFacts(name="DrainMachine", input="DrainMachineRequest", output="DrainMachineResponse"),
        "CleanHome": OperationFacts(name="CleanHome", input="CleanHomeRequest", output="CleanHomeResponse"),
    },
    shapes={
        "CleanHomeRequest": {"type": "structure", "members": {"DryRun": {"shape": "Boolean"}}},
        "CleanHomeResponse": {
            "type": "structure",
            "members": {
                "Count": {"shape": "Integer"},
                "Bytes": {"shape": "Long"},
                "Gone": {"shape": "GoneList"},
            },
        },
        "GoneList": {"type": "list", "member": {"shape": "Gone"}},
        "Gone": {
            "type": "structure",
            "members": {"Kind": {"shape": "Text"}, "Name": {"shape": "Text"}, "Bytes": {"shape": "Long"}},
        },
        "Long": {"type": "long"},
        "Text": {"type": "string"},
        "DrainMachineRequest": {"type": "structure", "members": {"Draining": {"shape": "Boolean"}}},
        "DrainMachineResponse": {
            "type": "structure",
            "members": {
                "Draining": {"shape": "Boolean"},
                "JobsPlaced": {"shape": "Integer"},
                "JobsWaiting": {"shape": "Integer"},
            },
        },
        "Boolean": {"type": "boolean"},
        "Integer": {"type": "integer"},
        "InterruptTrainingJobRequest": {
            "type": "structure",
            "required": ["TrainingJobName"],
            "members": {"TrainingJobName": {"shape": "TrainingJobName"}},
        },
        "TrainingJobName": {
            "type": "string",
            "min": 1,
            "max": 63,
            "pattern": "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        },
    },
)
