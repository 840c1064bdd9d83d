"""`sagestone policy …`: what users and roles may do, and what bounds an account."""

import json
from pathlib import Path
from typing import Annotated

import typer

from sagestone.cli.app import AsJson, Home
from sagestone.cli.exits import FAILED, USAGE, leave
from sagestone.cli.identity import AccountOption, change, known
from sagestone.cli.show import complaints, console, show_json
from sagestone.domain.policy import LONGEST, BadPolicy, read_policy
from sagestone.wire.access_document import AccessDocument, AttachedPolicy, drop_policy, put_policy

policies_app = typer.Typer(
    no_args_is_help=True,
    help="Policies in IAM's form (Effect, Action, Resource). Deny wins; without any, all is allowed in the account.",
)

Name = Annotated[str, typer.Argument(help="The policy's name.")]
UserOption = Annotated[str | None, typer.Option("--user", help="Attached to this user.")]
RoleOption = Annotated[str | None, typer.Option("--role", help="Attached to this role.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(policies_app, name="policy")


@policies_app.command()
def put(
    name: Name,
    file: Annotated[Path, typer.Argument(help="A JSON document with Version and Statement.")],
    user: UserOption = None,
    role: RoleOption = None,
    account: AccountOption = None,
    home: Home = None,
) -> None:
    """Attach a policy to a user or a role; with neither it bounds the whole account. One of that name is replaced."""
    from sagestone.compose.actions import idle_actions

    to = _to(user, role)
    try:
        text = file.read_text(encoding="utf-8")
        document = json.loads(text)
        if len(text) > LONGEST:
            raise BadPolicy(f"a policy has {LONGEST} characters at most, not {len(text)}")
        policy = read_policy(name, document)
    except OSError as error:
        leave(USAGE, f"{file} cannot be read: {error.strerror}")
    except (ValueError, BadPolicy, RecursionError) as error:
        leave(USAGE, f"{file}: {error}")

    def how(known_: AccessDocument, now: float) -> AccessDocument:
        whose = account or known_.own_account
        return put_policy(known_, AttachedPolicy(account=whose, to=to, name=name, document=document))

    change(home, how)
    for action in idle_actions(policy):
        complaints.print(f"note: {action} is no action of a service here, so it says nothing", markup=False)
    console.print(f"attached {name} to {to or 'the account'}", markup=False)


@policies_app.command()
def remove(
    name: Name, user: UserOption = None, role: RoleOption = None, account: AccountOption = None, home: Home = None
) -> None:
    """Take a policy away; who has none left may do everything in the account again."""
    to = _to(user, role)

    def how(known_: AccessDocument, now: float) -> AccessDocument:
        whose = account or known_.own_account
        return drop_policy(known_, AttachedPolicy(account=whose, to=to, name=name, document={}))

    change(home, how)
    console.print(f"removed {name} from {to or 'the account'}", markup=False)


@policies_app.command("list")
def list_(account: AccountOption = None, home: Home = None, as_json: AsJson = False) -> None:
    """List policies and what they are attached to."""
    document, _ = known(home)
    found = [each for each in document.policies if account in (None, each.account)]
    if as_json:
        show_json([{"account": p.account, "to": p.to, "name": p.name, "document": p.document} for p in found])
        return
    for each in found:
        console.print(f"{each.account}/{each.to or '(the account)'}  {each.name}", markup=False)


def _to(user: str | None, role: str | None) -> str:
    if user and role:
        leave(FAILED, "--user and --role exclude each other")
    return f"user/{user}" if user else f"role/{role}" if role else ""
