"""Tar archives as untrusted data: packed deterministically, unpacked only inside a directory."""
