"""Policies: what is read, what is refused, and who may do what."""

import fnmatch
import gc
import weakref
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagestone.domain import policy
from sagestone.domain.access import Grants, decide, denial
from sagestone.domain.policy import BadPolicy, Policy, Statement, read_policy

ARN = "arn:aws:sagemaker:us-east-1:123456789012:algorithm/team-a"
FILL = "x" * policy.SHORT


def document(*statements: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements), **changes}


def rule(effect: str, action: Any, resource: Any = "*", **changes: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **changes}


def grants(*statements: dict[str, Any], bound: list[dict[str, Any]] | None = None) -> Grants:
    return Grants(
        own=(read_policy("own", document(*statements)),) if statements else None,
        bound=None if bound is None else (read_policy("bound", document(*bound)),),
    )


@pytest.mark.parametrize(
    ("action", "resource", "covered"),
    [
        ("sagemaker:CreateAlgorithm", "*", True),
        ("sagemaker:Create*", "*", True),
        ("SageMaker:createalgorithm", "*", True),
        ("*", ARN, True),
        ("sagemaker:*", "arn:aws:sagemaker:*:*:algorithm/team-?", True),
        ("sagemaker:C*Algo*m", "arn:*:*:*:*:*/team-a", True),
        ("sagemaker:Create", "*", False),
        ("s3:*", "*", False),
        ("sagemaker:*", "arn:aws:sagemaker:*:*:algorithm/TEAM-a", False),
        ("sagemaker:*", "arn:aws:sagemaker:*:*:model/*", False),
        ("sagemaker:CreateAlgorithm?", "*", False),
    ],
)
def test_what_a_statement_covers(action: str, resource: str, covered: bool) -> None:
    statement = Statement(effect="Allow", actions=(action,), resources=(resource,))
    assert statement.covers("sagemaker:CreateAlgorithm", ARN) is covered


@given(pattern=st.text("ab*?", max_size=12), text=st.text("ab", max_size=12))
def test_wildcards_match_as_a_shell_has_them(pattern: str, text: str) -> None:
    statement = Statement(effect="Allow", actions=("*",), resources=(f"arn:{pattern}",))
    assert statement.covers("s3:GetObject", f"arn:{text}") == fnmatch.fnmatchcase(text, pattern)


@given(pattern=st.text("ab*?", max_size=12), text=st.text("abA", max_size=12))
def test_long_patterns_match_as_short_ones_do(pattern: str, text: str) -> None:
    short = Statement(effect="Allow", actions=(f"s3:{pattern}",), resources=(f"arn:{pattern}",))
    long = Statement(effect="Allow", actions=(f"s3:{FILL}{pattern}",), resources=(f"arn:{FILL}{pattern}",))
    assert short.covers(f"s3:{text}", f"arn:{text}") == long.covers(f"s3:{FILL}{text}", f"arn:{FILL}{text}")


def test_of_long_patterns_few_stay_compiled() -> None:
    """A stranger may have them tried by SimulatePrincipalPolicy, and each takes 100 KB and more."""
    refs = []
    for number in range(40):
        statement = Statement(effect="Allow", actions=("*",), resources=(f"arn:{number}" + "*ab" * 300,))
        assert not statement.covers("s3:GetObject", "arn:other")
        refs.append(weakref.ref(policy._pattern(statement.resources[0], True)))
    gc.collect()
    assert sum(ref() is not None for ref in refs) <= 16


def test_a_hostile_pattern_takes_no_time() -> None:
    statement = Statement(effect="Allow", actions=("*",), resources=("arn:" + "*a" * 200 + "b",))
    assert not statement.covers("s3:GetObject", "arn:" + "a" * 3000)


@pytest.mark.parametrize(
    ("own", "bound", "outcome", "reason"),
    [
        ([], None, "allowed", ""),
        ([rule("Allow", "sagemaker:*")], None, "allowed", ""),
        ([rule("Allow", "s3:*")], None, "implicitDeny",
         "because no identity-based policy allows the sagemaker:CreateAlgorithm action"),
        ([rule("Allow", "*"), rule("Deny", "sagemaker:Create*")], None, "explicitDeny",
         "with an explicit deny in an identity-based policy"),
        ([rule("Deny", "s3:*")], None, "implicitDeny",
         "because no identity-based policy allows the sagemaker:CreateAlgorithm action"),
        ([], [rule("Allow", "sagemaker:*")], "allowed", ""),
        ([], [rule("Allow", "s3:*")], "implicitDeny",
         "because no service control policy allows the sagemaker:CreateAlgorithm action"),
        ([rule("Allow", "*")], [rule("Allow", "*"), rule("Deny", "*", ARN)], "explicitDeny",
         "with an explicit deny in a service control policy"),
        ([rule("Allow", "sagemaker:*", ARN)], [rule("Allow", "*")], "allowed", ""),
    ],
)  # fmt: skip
def test_deny_wins_and_the_account_bounds(own: Any, bound: Any, outcome: str, reason: str) -> None:
    decision = decide(grants(*own, bound=bound), "sagemaker:CreateAlgorithm", ARN)
    assert (decision.outcome, decision.reason) == (outcome, reason)


def test_the_refusal_is_awss_sentence() -> None:
    decision = decide(grants(rule("Allow", "s3:*")), "sagemaker:CreateAlgorithm", ARN)
    assert denial("arn:aws:iam::123456789012:user/alice", "sagemaker:CreateAlgorithm", ARN, decision) == (
        "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: sagemaker:CreateAlgorithm on "
        f"resource: {ARN} because no identity-based policy allows the sagemaker:CreateAlgorithm action"
    )


RULES = st.builds(
    rule,
    st.sampled_from(["Allow", "Deny"]),
    st.sampled_from(["*", "s3:*", "s3:Get*", "sagemaker:*"]),
    st.sampled_from(["*", "arn:aws:s3:::a/*", "arn:aws:s3:::b"]),
)


@given(own=st.lists(RULES, min_size=1, max_size=5), bound=st.lists(RULES, min_size=1, max_size=5))
def test_allowed_means_allowed_by_both_and_denied_by_none(own: Any, bound: Any) -> None:
    action, resource = "s3:GetObject", "arn:aws:s3:::a/key"
    made = grants(*own, bound=bound)
    assert made.own is not None
    assert made.bound is not None
    (mine,), (its,) = made.own, made.bound
    allows = [each.says("Allow", action, resource) for each in (mine, its)]
    denies = [each.says("Deny", action, resource) for each in (mine, its)]
    decision = decide(made, action, resource)
    assert (decision.outcome == "allowed") is (all(allows) and not any(denies))
    assert (decision.outcome == "explicitDeny") is any(denies)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "a policy is a JSON object"),
        (document(rule("Allow", "*"), Id="x"), "the document has 'Id', which is not supported yet"),
        (document(rule("Allow", "*"), Version="2008-10-17"), 'Version must be "2012-10-17"'),
        (document(), "Statement must not be empty"),
        (document(rule("Permit", "*")), "Effect must be Allow or Deny, not 'Permit'"),
        (document(rule("Allow", "*", Condition={})), "has 'Condition', which is not supported yet, so it would have"),
        (document(rule("Allow", "*", Principal="*")), "has 'Principal'"),
        (document({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}), "has 'NotAction'"),
        (document({"Effect": "Allow", "Action": "s3:*"}), "Resource must be a text or a list of texts"),
        (document(rule("Allow", [])), "Action must be a text or a list of texts"),
        (document(rule("Allow", "sagemaker")), "is not of the form SERVICE:OPERATION"),
        (document(rule("Allow", "s3:*", "bucket/key")), 'is neither "*" nor an ARN'),
        (document(rule("Allow", "s3:*", "arn:aws:s3:::${aws:username}/*")), "has a policy variable"),
        (document(rule("Allow", "s3:*", Sid="a"), rule("Deny", "s3:*", Sid="a")), "each Sid must be used once"),
    ],
)
def test_what_is_not_honoured_is_refused(given: Any, told: str) -> None:
    with pytest.raises(BadPolicy) as refused:
        read_policy("p", given)
    assert told in str(refused.value)


def test_one_statement_needs_no_list_and_a_name_is_a_name() -> None:
    found = read_policy("p", document(Statement=rule("Allow", ["s3:Get*", "s3:Put*"], ["*"], Sid="one")))
    assert found == Policy(
        name="p", statements=(Statement(effect="Allow", actions=("s3:Get*", "s3:Put*"), resources=("*",)),)
    )
    with pytest.raises(BadPolicy, match="is no name of a policy"):
        read_policy("a b", document(rule("Allow", "*")))
