"""KMS: keys and what is done with them."""
