"""The tests that every step must pass, for whoever writes one: ``TestMine = check("mine")``.

It takes pytest and hypothesis, which nothing else in this package imports: ``pip install 'minisgd[testing]'``.
"""

from minisgd.testing.suite import check

__all__ = ["check"]
