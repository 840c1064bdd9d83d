"""Which tests go to the same test process. (Of xdist's own groups nothing is left with pytest 9.2.)"""

import re
from typing import get_args

from xdist.scheduler import LoadScopeScheduling

from tests.engines import EngineKind

_PARAMETERS = re.compile(rf"\[.*\b({'|'.join(get_args(EngineKind))})\b")


class ByEngine(LoadScopeScheduling):  # type: ignore[misc]  # xdist tells no types
    """Deals out the tests of each engine, and what is left file by file."""

    def _split_scope(self, nodeid: str) -> str:
        engine = _PARAMETERS.search(nodeid)
        return engine[1] if engine is not None else nodeid.split("::", 1)[0]
