"""What the command ``gate`` does, one way of using it a file."""
