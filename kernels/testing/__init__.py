"""The tests that every kernel must pass, for whoever writes one: ``TestMine = check("mine/full")``.

It takes pytest and hypothesis, which nothing else in this package imports: ``pip install 'minisgd[testing]'``.
"""

from kernels.testing.suite import check

__all__ = ["check"]
