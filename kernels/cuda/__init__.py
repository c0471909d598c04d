"""Products on a CUDA device, written in Python: from one thread an element up to tiles in registers."""
