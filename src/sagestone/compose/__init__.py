"""Builds the real parts from Settings and joins them: the only place that knows all of them."""

from sagestone.compose.endpoint import running_endpoint
from sagestone.compose.examine import Finding, examine_machine
from sagestone.compose.explanation import explain_request
from sagestone.compose.images import Images, open_images
from sagestone.compose.runtimes import CannotStart
from sagestone.compose.service import AlreadyRunning, Service

__all__ = [
    "AlreadyRunning",
    "CannotStart",
    "Finding",
    "Images",
    "Service",
    "examine_machine",
    "explain_request",
    "open_images",
    "running_endpoint",
]
