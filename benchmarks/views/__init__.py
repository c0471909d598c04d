"""What people look at in a terminal or a picture, drawn from records alone."""
