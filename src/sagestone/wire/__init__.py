"""Bytes to calls and back: AWS JSON 1.1, signatures, errors."""
