"""The actions that are asked about here: whatever else a policy names, it says nothing about."""

from collections.abc import Sequence

from sagestone.domain.policy import Policy, Statement
from sagestone.operations.authorize import action_of
from sagestone.operations.table import QUICK, WAITING
from sagestone.s3_server.routes import all_actions


def known_actions() -> list[str]:
    """Every action, in the words of policies."""
    served = {action_of(service, operation) for service, operation in {**QUICK, **WAITING}}
    return sorted({*served, *all_actions(), "iam:PassRole"})


def idle_actions(policy: Policy) -> Sequence[str]:
    """The Action patterns of a policy that match none of them: of services that are not here, or misspelt."""
    known = known_actions()
    patterns = dict.fromkeys(pattern for statement in policy.statements for pattern in statement.actions)
    return [pattern for pattern in patterns if not any(_matches(pattern, action) for action in known)]


def _matches(pattern: str, action: str) -> bool:
    return Statement(effect="Allow", actions=(pattern,), resources=("*",)).covers(action, "*")
