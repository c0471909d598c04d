"""Two sides measured against each other in the same minutes, and what may be said of the difference."""
