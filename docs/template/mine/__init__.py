"""A matrix product of mine."""
