"""Which segment a customer belongs to: shared by apply and ingest."""
