"""The space that an optimiser searches: a ``dimension`` per key, the ``space`` of all of them."""
