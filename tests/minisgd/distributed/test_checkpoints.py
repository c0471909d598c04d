"""A checkpoint is read as it was written, and for no other job."""

from __future__ import annotations

import numpy as np
import pytest

from minisgd.common.cli import UsageError
from minisgd.data import airfoil, linear
from minisgd.distributed.agreement import facts_of
from minisgd.distributed.checkpoints import load, save
from minisgd.train import Checkpoint, Point, Settings

KEPT = Checkpoint(np.full((5, 1), 0.1, np.float32), np.full(1, 0.2, np.float32), [Point(0.0, 0, 0.5), Point(1 / 3, 1500, 0.1)])


def facts(epochs=2, batch_size=10, problem=None):
    return facts_of(problem or airfoil(), Settings(batch_size=batch_size, epochs=epochs))


def test_what_is_written_is_read_to_the_bit_and_goes_on_for_more_epochs(tmp_path):
    path = tmp_path / "new" / "kept.npz"
    assert load(path, facts()) is None
    save(path, KEPT, facts())
    found = load(path, facts(epochs=9))
    assert found.points == KEPT.points
    for name in ("weights", "bias"):
        read, written = getattr(found, name), getattr(KEPT, name)
        assert read.dtype == written.dtype
        np.testing.assert_array_equal(read, written)
    assert [each.name for each in path.parent.iterdir()] == ["kept.npz"]


@pytest.mark.parametrize(
    ("other", "said"),
    [({"batch_size": 11}, "batch size 10, not 11"), ({"problem": linear(1500, 5)}, "data 'airfoil', not 'linear'")],
)
def test_a_checkpoint_of_another_job_is_refused(other, said, tmp_path):
    save(tmp_path / "kept.npz", KEPT, facts())
    with pytest.raises(UsageError, match=said):
        load(tmp_path / "kept.npz", facts(**other))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive", None])
def test_a_file_that_is_no_checkpoint_is_refused(content, tmp_path):
    path = tmp_path / "kept.npz"
    if content is None:
        np.savez(path, weights=KEPT.weights)
    else:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"expected a checkpoint of this job, or no file: .*kept\.npz: it cannot be read as one"):
        load(path, facts())


def test_a_checkpoint_that_was_cut_off_is_refused(tmp_path):
    path = tmp_path / "kept.npz"
    save(path, KEPT, facts())
    whole = path.read_bytes()
    for length in range(1, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(UsageError, match="it cannot be read as one"):
            load(path, facts())


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match=r"--checkpoint .*file/kept\.npz: "):
        save(tmp_path / "file" / "kept.npz", KEPT, facts())
