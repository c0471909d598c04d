"""What other trackers have stored, read as runs and records like our own."""
