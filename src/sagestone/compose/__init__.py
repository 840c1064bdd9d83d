"""Builds the real parts from Settings and joins them: the only place that knows all of them.

Its modules are imported one by one: what a command does not use, it does not wait for.
"""
