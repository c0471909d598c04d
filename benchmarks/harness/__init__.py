"""Cases, timing, workers, the machine and its ceilings, records.

Torch, triton and NVML need not be installed, and asv lists benchmarks without the ceilings' compiled loops: all of these are
imported where they are used.
"""
