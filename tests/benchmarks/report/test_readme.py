"""What a command puts between the markers of README and docs is what their records give."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from runs_for_tests import make_record, make_run

from benchmarks.harness.records import Run
from benchmarks.report import readme
from minisgd.common.cli import UsageError


def some_run():
    return make_run(
        *(
            make_record(kernel=f"{backend}/{rung}", shape=dict.fromkeys("mnp", n), flops=2 * n**3)
            for backend in ("numpy", "numba")
            for rung in ("elementwise", "full")
            for n in (64, 128)
        )
    )


def test_the_readme_s_ladder_is_that_of_its_run():
    root = Path(__file__).parents[3]
    text = (root / "README.md").read_text(encoding="utf-8")
    kept = Run.model_validate_json((root / readme.RUN).read_text(encoding="utf-8"))
    assert readme.between("ladder").search(text)[0] == readme.ladder(kept)


def test_the_documents_tables_and_pictures_are_those_of_their_records():
    root = Path(__file__).parents[3]
    texts = [(root / name).read_text(encoding="utf-8") for name in readme.DOCUMENTS]
    assert all(len(readme.between(marker).findall("".join(texts))) == 1 for marker in readme.MADE)
    assert all((root / file).exists() for file, _ in readme.MADE.values())
    assert [readme.refreshed(text, root) for text in texts] == texts
    drawn = readme.drawings(root)
    assert len(drawn) == len(readme.DRAWN)
    for path, made in drawn.items():
        assert _texts(path.read_text(encoding="utf-8")) == _texts(made), path


def _texts(svg):
    """What a picture says: coordinates differ by versions of matplotlib."""
    return re.findall(r"<text[^>]*>([^<]*)", svg)


def test_the_readme_and_the_notes_are_made_anew(tmp_path):
    compared = [{"case": "numba/full-64-float32-x1", "gflops": {"numba/full": 60.0, "numpy/full": 50.0}, "ratio": 1.2, "low": 1.1,
                 "high": 1.3, "percent_of_peak": 33.3, "best": "numpy/full",
                 "libraries": {"numpy/full": "openblas, code: Zen"}}]  # fmt: skip
    (tmp_path / "docs").mkdir()
    (tmp_path / readme.MADE["comparison"][0]).write_text(json.dumps(compared), encoding="utf-8")
    markers = {"README.md": ["ladder"], readme.NOTES: ["summary"], readme.TABLES: ["comparison", "products"]}
    for name, some in markers.items():
        old = " ".join(f"<!-- {marker}: --> old <!-- end of {marker} -->" for marker in some)
        (tmp_path / name).write_text(f"before {old} after", encoding="utf-8")
    readme.update(some_run(), tmp_path)
    texts = {name: (tmp_path / name).read_text(encoding="utf-8") for name in markers}
    for text in texts.values():
        assert text.startswith("before <!--")
        assert text.endswith("--> after")
        assert "old" not in text
    assert " numba/full " in texts["README.md"]
    assert " numpy/full " not in texts["README.md"]
    assert "| numpy/full | 64 | 1 | " in texts[readme.TABLES]
    assert "| float32 | 1 | 1 | 1.200 | 1.200 | 1.200 | 33 |" in texts[readme.NOTES]
    text = texts[readme.TABLES]
    assert "| 64-float32-x1 | 60.0 | 50.0 | 33 | numpy/full | 1.200 | 1.100-1.300 |" in text
    assert "- numpy/full: openblas, code: Zen\n" in text
    assert "1.200 with x1, 1 of 1 at 0.97 or more; 1.200 of all" in text
    assert (tmp_path / "docs/compare.svg").read_text(encoding="utf-8").count(">float32, 1 thread<") == 1


def test_a_scaling_run_that_concludes_nothing_says_so():
    text = readme.scaling({"run": json.loads(some_run().model_dump_json())})
    assert "- Whether two threads get two cores was not measured, so nothing is concluded." in text
    assert "alpha" not in text


def test_a_readme_without_markers_is_left_alone(tmp_path):
    (tmp_path / "README.md").write_text("nothing here", encoding="utf-8")
    with pytest.raises(UsageError, match="no markers"):
        readme.update(some_run(), tmp_path)
