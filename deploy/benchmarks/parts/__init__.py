"""Parts that benchmarks are made of."""
