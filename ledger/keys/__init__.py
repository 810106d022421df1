"""The log's own secrets: where they are kept, and the one way to a signature."""
