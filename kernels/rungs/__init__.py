"""The rungs: a file a backend, a short function a rung."""
