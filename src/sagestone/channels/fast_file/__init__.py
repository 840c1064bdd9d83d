"""FastFile mode: objects as files that are read when they are read."""
