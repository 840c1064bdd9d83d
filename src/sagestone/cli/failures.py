"""Foreseeable errors of any command, as one sentence and an exit code; what is left over is a bug of ours."""

from sagestone.cli.exits import FAILED, UNAVAILABLE, USAGE


def foreseen(error: BaseException) -> tuple[int, str] | None:
    """Exit code and sentence; None for what nobody foresaw.

    The families are imported here: a command that went well does not wait for them.
    """
    from sagestone.compose.runtimes import CannotStart
    from sagestone.compose.service import AlreadyRunning
    from sagestone.containers.runtime import RuntimeFailure
    from sagestone.image_build.recipe import BadRecipe
    from sagestone.wire.credentials import BadCredentials

    if isinstance(error, CannotStart | AlreadyRunning | BadCredentials):
        return UNAVAILABLE, str(error)
    if isinstance(error, RuntimeFailure):
        return UNAVAILABLE, f"the container runtime failed: {error}"
    if isinstance(error, BadRecipe):
        return FAILED, str(error)
    return _of_aws(error) or _of_the_machine(error)


def _of_aws(error: BaseException) -> tuple[int, str] | None:
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

    if isinstance(error, ParamValidationError):
        return USAGE, str(error)
    if isinstance(error, BotoCoreError):  # no connection, none any more, no answer in time
        return UNAVAILABLE, f"the service does not answer: {error}"
    if isinstance(error, ClientError):
        return FAILED, str(error)
    return None


def _of_the_machine(error: BaseException) -> tuple[int, str] | None:
    if isinstance(error, ConnectionError):
        return UNAVAILABLE, f"the service cannot be reached: {error}"
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return UNAVAILABLE, f"{place}{error.strerror or error}"
    return None
