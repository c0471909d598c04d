"""Every framework of the textbook beside ours, each in an environment and a process of its own."""
