"""What SageMaker does not have: for the command line, and for the machine itself."""
