"""Other eyes: asking witnesses, and being one."""
