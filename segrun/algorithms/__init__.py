"""Algorithms: the contract, the registry of plugins and the built-ins."""
