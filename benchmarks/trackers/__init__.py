"""Other tools: what asv and pytest-benchmark store, and series and steps over commits."""
