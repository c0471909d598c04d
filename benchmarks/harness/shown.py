"""What a notebook shows of a result: a view's affair, which the result finds by name, since results import no view."""

from __future__ import annotations

from importlib import import_module


class Shown:
    """A result that a notebook shows as `benchmarks.views.notebook` draws it."""

    def _repr_html_(self) -> str:
        return str(import_module("benchmarks.views.notebook").html(self))
