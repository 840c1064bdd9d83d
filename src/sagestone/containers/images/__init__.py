"""Images outside an engine: archives, names, and the sandbox's store of them."""
