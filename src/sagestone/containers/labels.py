"""Names and labels of what a job leaves on a machine, so that it is found again and nothing else is touched.

Every container and network carries `HOME`: two services on one machine never take each other's for their own.
"""

import hashlib
import re

HOME = "sagestone.home"  # which service made it: `home_id(settings.home)`
JOB = "sagestone.job"  # the job's key
ACCOUNT = "sagestone.account"  # whose job it is; absent where nobody said
INSTANCE = "sagestone.instance"  # "1" for algo-1
POSITION = "sagestone.position"  # "1" for the first container of a pipeline; absent where an instance has only one

_UNFIT = re.compile(r"[^a-zA-Z0-9_.-]+")
_NAME_LENGTH = 63


def home_id(home: str) -> str:
    """A short word that stands for a service's home directory in labels and names."""
    return hashlib.sha256(home.encode()).hexdigest()[:12]


def job_labels(home: str, job: str) -> dict[str, str]:
    """Labels of everything that belongs to a job: its networks carry exactly these."""
    return {HOME: home, JOB: job}


def instance_labels(home: str, job: str, instance: int, account: str = "") -> dict[str, str]:
    """Labels of one instance's container; `instance` counts from 1, as the host names do."""
    return {**job_labels(home, job), INSTANCE: str(instance), **({ACCOUNT: account} if account else {})}


def container_name(home: str, job: str, instance: int, position: int | None = None) -> str:
    """The one name that this instance's container can have: a second start meets it as NameTaken.

    `position` counts the containers of a pipeline from 1; None where an instance has only one.
    """
    return _name(f"sagestone-{home}-", job, f"-algo-{instance}{'' if position is None else f'-{position}'}")


def network_name(home: str, job: str) -> str:
    """The name of the private network between a job's instances."""
    return _name(f"sagestone-{home}-", job, "-net")


def instance_network_name(home: str, job: str, instance: int) -> str:
    """The name of the private network between the containers of one instance."""
    return _name(f"sagestone-{home}-", job, f"-algo-{instance}-net")


def _name(before: str, job: str, after: str) -> str:
    """`job` made fit for an engine, and shortened to a part and a digest when it is long or had to be changed."""
    fit = _UNFIT.sub("-", job)
    room = _NAME_LENGTH - len(before) - len(after)
    if fit == job and len(fit) <= room:
        return before + fit + after
    digest = hashlib.sha256(job.encode()).hexdigest()[:10]
    return f"{before}{fit[: room - len(digest) - 1]}-{digest}{after}"
