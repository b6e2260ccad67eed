"""What is done with a finished run: apply, export, ingest, compare."""
