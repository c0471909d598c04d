"""The commands of ``python -m benchmarks``, one file each; they import what they need when they run."""
