"""Hostile input: what clients, objects and containers send, broken in every way; nothing may fall over."""
