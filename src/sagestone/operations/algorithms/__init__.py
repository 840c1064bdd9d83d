"""What is asked of algorithms."""
