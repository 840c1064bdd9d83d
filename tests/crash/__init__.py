"""Kills the service, agents, the container engine and the S3 server while validations run, and looks what comes of it.

`./run crash` (see docs/reliability.md). Everything is real: processes, containers, requests. What must hold afterwards
is looked at from outside: by the API, in S3, in a ledger that the programs write, and on the machine itself.
"""
