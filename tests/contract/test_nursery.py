"""The nursery of agents: what its agents inherit."""

import os
import select
import sys
from pathlib import Path

from sagestone.placement.nursery import Nursery

_TELLS = """
import resource, sys
from sagestone.agent.nursery import tend

def run(directory, parts):
    (directory / "limit").write_text(str(resource.getrlimit(resource.RLIMIT_NOFILE)[0]))
    return 0

tend(int(sys.argv[2]), run)
"""


def test_agents_do_not_inherit_the_room_for_connections(tmp_path: Path) -> None:
    nursery = Nursery(os.environ, (sys.executable, "-c", _TELLS), open_files=77)
    try:
        process = nursery.fork(tmp_path, b"{}")
        ended = select.poll()
        ended.register(process, select.POLLIN)
        assert ended.poll(60_000)
        os.close(process)
    finally:
        nursery.close()
    assert (tmp_path / "limit").read_text() == "77"
