"""Pipe mode: channels as FIFOs, one for each epoch."""
