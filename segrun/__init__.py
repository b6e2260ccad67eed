"""segrun: many clusterings of customers, declared in YAML, run fast, compared honestly."""
