"""Pre-flight: memory and disk that a grid will take, and what happens if that is too much."""
