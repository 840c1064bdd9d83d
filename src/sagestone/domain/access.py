"""Whether a caller may do something: their own policies, within the bound of their account. Deny wins.

A user or role without a policy may do everything in its account, an account without a bound sets none; whoever has a
policy may do only what one allows and none denies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sagestone.domain.policy import Policy

#: In IAM's words: what SimulatePrincipalPolicy answers.
Outcome = Literal["allowed", "explicitDeny", "implicitDeny"]

_OWN, _BOUND = "an identity-based policy", "a service control policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """What is attached to a caller (None: nothing, so all is allowed) and to their account."""

    own: tuple[Policy, ...] | None = None
    bound: tuple[Policy, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The outcome, the names of the policies that made it so, and why not in AWS's words ("" when allowed)."""

    outcome: Outcome
    matched: tuple[str, ...] = ()
    reason: str = ""
    within_bound: bool = True


def decide(grants: Grants, action: str, resource: str) -> Decision:
    """Whether `action` (`sagemaker:CreateAlgorithm`) is allowed on `resource` (an ARN, or "*" where there is none)."""
    bound = _matched(grants.bound, "Allow", action, resource)
    within = grants.bound is None or (bool(bound) and not _matched(grants.bound, "Deny", action, resource))
    for policies, kind in ((grants.bound, _BOUND), (grants.own, _OWN)):
        denying = _matched(policies, "Deny", action, resource)
        if denying:
            reason = f"with an explicit deny in {kind}"
            return Decision(outcome="explicitDeny", matched=denying, reason=reason, within_bound=within)
    own = _matched(grants.own, "Allow", action, resource)
    for policies, allowing, kind in ((grants.bound, bound, _BOUND), (grants.own, own, _OWN)):
        if policies is not None and not allowing:
            reason = f"because no {kind.partition(' ')[2]} allows the {action} action"
            return Decision(outcome="implicitDeny", reason=reason, within_bound=within)
    return Decision(outcome="allowed", matched=(*own, *bound))


def denial(caller: str, action: str, resource: str, decision: Decision) -> str:
    """The sentence that AWS answers; `caller` is the ARN of who asked."""
    return f"User: {caller} is not authorized to perform: {action} on resource: {resource} {decision.reason}"


def _matched(
    policies: Sequence[Policy] | None, effect: Literal["Allow", "Deny"], action: str, resource: str
) -> tuple[str, ...]:
    return tuple(policy.name for policy in policies or () if policy.says(effect, action, resource))
