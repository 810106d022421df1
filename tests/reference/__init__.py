"""Specifications transcribed: slow, recursive, obvious. Only tests use them."""
