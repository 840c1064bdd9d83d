"""What the key store refuses, with KMS's own code."""


class KmsRefusal(Exception):
    """A request that cannot be done: `code` is KMS's exception name."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
