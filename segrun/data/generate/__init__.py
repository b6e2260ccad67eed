"""``segrun generate``: the rows of an embedded generator as a file of any size."""

from segrun.data.generate.generate import Generated, generate

__all__ = ["Generated", "generate"]
