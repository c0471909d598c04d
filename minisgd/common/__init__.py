"""What the commands of both packages use: errors, files, the terminal, units, pictures."""
