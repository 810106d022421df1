"""Keeping somebody's log as well: fetched, re-hashed, and shown to others."""
