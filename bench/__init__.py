"""Benchmarks of takeover and cycle against peers in the same run: `python -m bench`, as root."""
