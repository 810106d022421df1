"""The thin faces: what the log says over HTTP, and how it is asked."""
