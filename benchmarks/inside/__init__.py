"""numba/full from inside: what each idea brings, where the time goes, and where its choices change.

The packages that a GPU takes need not be installed: they are imported where they are used.
"""
