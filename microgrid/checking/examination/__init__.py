"""Anybody's engine examined: what is wrong with it, why, and in which line."""
