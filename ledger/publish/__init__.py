"""Becoming public, in order, from a cursor."""
