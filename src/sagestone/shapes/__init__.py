"""The service model as the judge of requests: shapes, constraints, and all violations at once."""
