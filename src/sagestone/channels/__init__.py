"""Brings a channel's data to an instance: which objects, which of them are this host's, and where they go."""
