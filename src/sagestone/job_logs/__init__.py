"""The logs of jobs in the words of CloudWatch Logs: groups, streams and events, kept as plain files.

A stream is one file that only grows, `<logs directory>/<group>/<stream>.log`, one event a line:

    1732422300123 TAB the message, with its control characters escaped LF

The agent writes it while the job runs and the service reads it at the same time, without a word between them.
"""
