"""`./run bench [NAME …]`."""

import sys
from importlib import import_module

_ALL = (
    *("start", "api", "memory", "validation", "packing", "warm_pool", "pipe", "file", "fast_file", "transform"),
    *("load", "registered", "flood"),
)

unknown = [name for name in sys.argv[1:] if name not in _ALL]
if unknown:
    sys.exit(f"unknown measurement {', '.join(unknown)}; there are {', '.join(_ALL)}")
for name in sys.argv[1:] or _ALL:
    import_module(f"bench.{name}").main()
