"""The machine, its libraries and its threads, and whether it is fit to measure on."""
