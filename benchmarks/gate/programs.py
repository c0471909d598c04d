"""Python's programs compared: without documentation and layout, and without the bodies of functions that run as machine code."""

from __future__ import annotations

import ast
from collections.abc import Collection


def same(one: bytes, other: bytes) -> bool:
    """Whether two files are the same program: they differ in comments, documentation and layout alone, if at all."""
    try:
        return one == other or ast.dump(_program(one)) == ast.dump(_program(other))
    except (SyntaxError, ValueError):
        return False


def same_around(one: bytes, other: bytes, bodies: tuple[Collection[int], Collection[int]] | None = None) -> bool:
    r"""Whether two files are the same program but for the bodies of decorated functions.

    Names, parameters with their defaults, and decorators have to be the same, in the same places.

    Parameters
    ----------
    one, other : bytes
        Sources.
    bodies : pair of collections of int, optional
        By file, the first lines, decorators counted, of functions whose bodies may differ; of all that are decorated, if left
        out.

    Examples
    --------
    >>> same_around(b"@njit\ndef f(x): return 2 * x", b"@njit\ndef f(x): return x + x")
    True
    >>> same_around(b"@njit\ndef f(x, width=8): ...", b"@njit\ndef f(x, width=64): ...")
    False
    """
    try:
        programs = _program(one), _program(other)
    except (SyntaxError, ValueError):
        return False
    for side, program in enumerate(programs):
        decorated = [node for node in ast.walk(program) if isinstance(node, ast.FunctionDef) and node.decorator_list]
        for function in decorated:
            if bodies is None or function.decorator_list[0].lineno in bodies[side]:
                function.body = []
    return ast.dump(programs[0]) == ast.dump(programs[1])


def _program(content: bytes) -> ast.Module:
    """What Python makes of a file, without documentation."""
    program = ast.parse(content)
    for node in ast.walk(program):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = node.body[ast.get_docstring(node) is not None :]
    return program
