"""From labels to segments: which grid point, in what order, what is in each, what to call them."""
