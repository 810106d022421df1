"""The operator's side: a log that keeps its promises.

Here entries are admitted, ordered, made durable, anchored and signed, and here the
tree is built, by code that shares nothing with the verifier's but the alphabet.
What is above the writer, publication and the service, stands on floors of its own.
"""
