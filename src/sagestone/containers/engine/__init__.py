"""Containers by the Docker Engine API, spoken by Docker and by Podman's service."""
