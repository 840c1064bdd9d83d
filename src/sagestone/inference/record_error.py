"""What the readers of records say of one that is not as it should be."""


class BadRecord(Exception):
    """A record that cannot be read, or lacks what a path selects; the text is a clause about it."""
