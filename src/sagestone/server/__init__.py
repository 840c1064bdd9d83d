"""HTTP in, wire, operation, wire, HTTP out: one endpoint for the JSON services and for S3."""

from sagestone.server.s3_face import S3Face
from sagestone.server.server import Server, serve_until

__all__ = ["S3Face", "Server", "serve_until"]
