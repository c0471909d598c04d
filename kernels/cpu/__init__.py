"""This CPU: its caches, its vector unit, and the tile sizes that follow."""
