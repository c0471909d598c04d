"""What this machine can do at most."""

MEMORY_CACHES = 4
"""A working set of this many times the outermost cache comes from memory."""
