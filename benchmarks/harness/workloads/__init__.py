"""The workloads, a file each: operands made ready, one call, and the check."""
