"""An AWS client as a user runs it: in its own environment, with the variables of `sagestone env` and nothing else."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients.proxy import RefusingProxy
from tests.system.service import RunningService

#: What SageMaker's Python SDKs send their usage to, whatever AWS_ENDPOINT_URL says.
TELEMETRY = "sm-pysdk-t-us-east-1.s3.us-east-1.amazonaws.com"

_OPT_OUT = """SchemaVersion: "1.0"
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
"""
_PROGRAMS = Path(__file__).with_name("programs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Runs programs of one environment against one service; what would leave the machine meets the proxy."""

    environment: Path
    service: RunningService
    proxy: RefusingProxy
    home: Path  # the user's, empty at first
    variables: Mapping[str, str]  # what `sagestone env` prints

    def run(self, program: str, *arguments: str) -> str:
        """Run a program of the environment's `bin/`; its standard output. Fails with all its output when it fails."""
        return self._succeeded(program, arguments).stdout

    def refused(self, program: str, *arguments: str) -> tuple[int, str]:
        """Run what must fail; the exit code and what it complained."""
        done = self._done(program, arguments)
        assert done.returncode != 0, done.stdout
        return done.returncode, done.stderr

    def flow(self, program: str, request: object, **variables: str) -> tuple[dict[str, Any], str]:
        """Run one of `programs/`; the document it wrote, and all that it printed.

        It is given two paths: a file with `request`, and where its document goes.
        """
        (self.home / "request.json").write_text(json.dumps(request))
        interpreter = "node" if program.endswith(".mjs") else "python"
        done = self._succeeded(interpreter, (str(self._program(program)), "request.json", "seen.json"), variables)
        seen: dict[str, Any] = json.loads((self.home / "seen.json").read_text())
        return seen, done.stdout + done.stderr

    def opted_out(self) -> dict[str, str]:
        """The variable that switches the telemetry of SageMaker's Python SDKs off."""
        (self.home / "sagemaker.yaml").write_text(_OPT_OUT)
        return {"SAGEMAKER_USER_CONFIG_OVERRIDE": str(self.home / "sagemaker.yaml")}

    def _program(self, name: str) -> Path:
        """Node looks for modules beside the program: a copy of it lies in the environment."""
        if not name.endswith(".mjs"):
            return _PROGRAMS / name
        copy = self.environment / name
        copy.write_bytes((_PROGRAMS / name).read_bytes())
        return copy

    def _succeeded(
        self, program: str, arguments: Sequence[str], variables: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        done = self._done(program, arguments, variables)
        assert done.returncode == 0, f"{program} {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done

    def _done(
        self, program: str, arguments: Sequence[str], variables: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), self.proxy.url)
        environment = {
            "PATH": f"{self.environment / 'bin'}:/usr/bin:/bin",
            "HOME": str(self.home),
            **self.variables,
            **proxies,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "NODE_USE_ENV_PROXY": "1",  # Node looks at the variables above only when it is told to
            **(variables or {}),
        }
        return subprocess.run(
            [str(self.environment / "bin" / program), *arguments],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            cwd=self.home,
            env=environment,
            timeout=240,
            check=False,
        )
