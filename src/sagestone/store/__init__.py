"""What is kept: algorithms, jobs, tags, events and leases. The only place with SQL."""
