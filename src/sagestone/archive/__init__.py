"""Tar archives and gzip as untrusted data: archives are packed deterministically, unpacked only inside a directory."""
