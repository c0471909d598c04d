"""`numba-cuda/full`: tiles of out in registers, in stages that add an idea each."""
