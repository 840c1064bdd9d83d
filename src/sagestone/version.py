"""The version: written here and nowhere else; to ask the package's metadata takes a tenth of a command's start."""

VERSION = "0.1.0"
