"""Several parts together, over a real Redis."""
