"""Other tools: what asv and pytest-benchmark store, series and steps over commits, and exports for dashboards."""
