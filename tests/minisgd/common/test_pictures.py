"""What is drawn is text, never TeX, and the same in SVG and PNG."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from minisgd.common import pictures


@pytest.mark.parametrize("name", ["$x^2$", r"numba/$\frac{$", "a_$1 of $2", "with \x00 and \x1b"])
def test_names_are_drawn_as_they_are(tmp_path, name):
    figure = Figure()
    axes = figure.subplots()
    axes.plot([1, 2], [1, 2], label=name)
    axes.set_title(name)
    axes.set_xticks([1, 2], [re.sub(r"[\x00\x1b]", "?", name), "two"])
    axes.legend()
    pictures.tip(axes, [1], [1], [f"tip {name}"])
    pictures.save(figure, tmp_path / "one")
    root = ElementTree.fromstring((tmp_path / "one.svg").read_bytes())
    said = [text for text in root.itertext() if text.strip()]
    assert said.count(re.sub(r"[\x00\x1b]", "?", name)) == 3


def test_a_logarithmic_axis_has_powers_in_text():
    figure = Figure()
    axes = figure.subplots()
    axes.loglog([1e-6, 1e3], [20, 40])
    drawn = pictures.svg(figure)
    assert ">10⁻⁶<" in drawn
    assert ">2×10¹<" in drawn
    assert "mathdefault" not in drawn
