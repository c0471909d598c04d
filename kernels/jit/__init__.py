"""What compiled code is written with, in the kernels and in the SGD steps alike."""
