"""Container runtimes behind one interface: the Docker Engine API (Docker, Podman) and the sandbox without an engine."""
