"""The pure rules: documents, statuses and the decisions about them. No I/O, clock, randomness or threads here."""
