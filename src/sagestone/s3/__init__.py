"""S3 as the instance side uses it: URIs, listings, and one client interface over the embedded store or any endpoint."""
