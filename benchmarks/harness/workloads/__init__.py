"""The two workloads: operands made ready, one call, and the check."""
