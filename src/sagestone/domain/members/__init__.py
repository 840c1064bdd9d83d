"""What is done with each member of a request: honoured, recorded or refused."""
