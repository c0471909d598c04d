"""What both packages use: errors, environment, files, intervals, the terminal, tables, escaping, units, pictures."""
