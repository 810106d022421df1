"""Finding an entry by what it is called: a follower, rebuildable from the log alone.

The index is a hint and no evidence: it names places to look at. Whoever looks
something up reads the entries there, checked, and compares; losing the index
loses nothing but time.
"""
