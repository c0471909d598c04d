"""Measuring. What is measured never measures itself: nothing in `kernels` and `minisgd` imports this package."""
