"""The notebook of the chapter runs, and shows tables and pictures."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.filterwarnings("ignore")  # those of Jupyter's own
def test_the_chapter_runs_from_beginning_to_end(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, sys.path)]))
    chapter = nbformat.read(ROOT / "docs/chapter.ipynb", as_version=4)
    nbformat.validate(chapter)
    assert not any(cell.get("outputs") for cell in chapter.cells)
    nbclient.NotebookClient(chapter, timeout=200, resources={"metadata": {"path": str(ROOT)}}).execute()
    shown = [
        "".join(output.get("data", {}).get("text/html", "") for output in cell.outputs)
        for cell in chapter.cells
        if cell.cell_type == "code"
    ]
    assert all("<table" in each for each in shown)
    assert [each.count("<svg") for each in shown] == [1, 0, 0, 1, 1, 0]  # one block has no interval to draw
