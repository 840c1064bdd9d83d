"""The embedded S3 store's HTTP face, on the service's own endpoint."""

from sagestone.s3_server.face import S3Face

__all__ = ["S3Face"]
