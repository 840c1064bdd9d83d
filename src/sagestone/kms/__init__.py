"""The keys of AWS KMS: made, kept sealed on disk, and used; the service and its agents read the same ones."""
