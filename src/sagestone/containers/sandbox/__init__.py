"""Containers of Linux namespaces, without an engine."""
