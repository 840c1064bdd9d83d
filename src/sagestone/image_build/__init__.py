"""Builds small algorithm images without an engine or a registry: Debian packages, Python wheels and own files."""
