"""Tables as data: one description, and a renderer each for the terminal, HTML, Markdown and JSON."""
