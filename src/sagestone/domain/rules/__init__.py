"""The rules of requests that the service model cannot say: pure functions from a place in a request to violations."""
