"""The store on PostgreSQL, which several services may share."""
