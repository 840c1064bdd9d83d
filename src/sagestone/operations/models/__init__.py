"""What is asked of models and model packages."""
