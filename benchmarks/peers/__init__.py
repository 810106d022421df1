"""Ours beside Tessera on the same machine, in the same run, under the same load.

`make bench-peers` builds the peer, which needs Go. What is compared takes turns, round
by round, so that both see the same weather; ratios come first.
"""
