"""Job logs as CloudWatch Logs shows them: groups, streams, events. Written by agents, read by the service."""
