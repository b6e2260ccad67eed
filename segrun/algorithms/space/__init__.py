"""The space that an optimiser searches.

A ``dimension`` is what one key may become, read by the ``grammar``; a ``base`` has those of one
choice of groups; the ``space`` is all bases, with ``names`` by which an optimiser tells them apart.
"""
