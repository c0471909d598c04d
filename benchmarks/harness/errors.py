"""What a command says in one line instead of a traceback."""


class UsageError(Exception):
    """Bad input: what was wrong, what was expected, what to do. Exit status 2."""
