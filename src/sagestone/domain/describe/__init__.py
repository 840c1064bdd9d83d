"""What the Describe operations answer."""
