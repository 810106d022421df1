"""Watching logs without a pause: rounds, alarms, and what is remembered of both."""
