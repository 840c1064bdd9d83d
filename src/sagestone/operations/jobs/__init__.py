"""What is asked of training and transform jobs."""
