"""The instance agent: a process of its own that carries out one assignment and tells what happens."""
