"""Pre-flight: what a grid will take, told before it starts, and what happens if that is too much.

Every number is an estimate, good to a factor of two or three; ``preflight.csv`` has what really
happened beside it.
"""
