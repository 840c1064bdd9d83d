"""Which tests go to the same test process. (Of xdist's own groups nothing is left with pytest 9.2.)"""

import re
from typing import get_args

from xdist.scheduler import LoadScopeScheduling

from tests.engines import EngineKind

_KINDS = "|".join((*get_args(EngineKind), "postgres"))
_PARAMETERS = re.compile(rf"\[.*\b({_KINDS})\b")
_POSTGRES_FILE = re.compile(r"test_postgres\w*\.py::")


class ByEngine(LoadScopeScheduling):  # type: ignore[misc]  # xdist tells no types
    """Deals out the tests of each engine, and what is left file by file."""

    def _split_scope(self, nodeid: str) -> str:
        engine = _PARAMETERS.search(nodeid)
        if engine is None and _POSTGRES_FILE.search(nodeid):
            return "postgres"
        return engine[1] if engine is not None else nodeid.split("::", 1)[0]
