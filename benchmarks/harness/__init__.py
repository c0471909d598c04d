"""Cases, timing, workers, the machine and its ceilings, records."""
