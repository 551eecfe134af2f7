"""Benchmarks: `./deploy/bench NAME --json FILE`."""
