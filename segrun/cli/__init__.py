"""The command line: every command and its page, and the seam to Hydra."""
