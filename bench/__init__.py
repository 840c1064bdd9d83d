"""Measurements: ratios taken side by side in one run. `./run bench` runs all, `./run bench NAME` one."""
