"""One script for a machine that has a GPU and nothing of ours: ``python -m benchmarks.gpu``."""
