"""The version of the installed package, as the package metadata tells it."""

from importlib.metadata import version

VERSION = version("sagestone")
