"""The operator's side: a log that keeps its promises.

Here records are admitted, ordered, made durable, signed and published, and here
the tree is built, by code that shares nothing with the verifier's but the alphabet.
The package has no room yet; each arrives with the change that needs it, on the
floor that the import contracts in pyproject.toml have drawn for it.
"""
