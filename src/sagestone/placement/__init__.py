"""Where instances run: asked per job, never per container."""
