"""A checkpoint file: written at once as a whole, and read again only for the job that it is of."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import astuple
from pathlib import Path

import numpy as np

from minisgd.common.cli import UsageError
from minisgd.common.files import write
from minisgd.distributed.agreement import Facts
from minisgd.train import Checkpoint, Point

FREE = ("code", "epochs")
"""Facts that may differ: one may go on for longer, and with a fault mended."""


def job(facts: Facts) -> str:
    """What a checkpoint is of, as text."""
    return json.dumps({name: value for name, value in facts.items() if name not in FREE}, sort_keys=True)


def save(path: Path, checkpoint: Checkpoint, facts: Facts) -> None:
    """Write beside the file and in its place: at any moment it is one checkpoint or the next."""
    file, points = io.BytesIO(), np.array([astuple(point) for point in checkpoint.points])
    np.savez(file, weights=checkpoint.weights, bias=checkpoint.bias, points=points, job=np.array(job(facts)))
    try:
        write(path, file.getvalue())
    except OSError as error:
        raise UsageError(f"--checkpoint {path}: {error.strerror}") from None


def load(path: Path, facts: Facts) -> Checkpoint | None:
    """The checkpoint, or None if there is no file.

    Raises
    ------
    UsageError
        If it is none, or of another job; the message says what differs.
    """
    expected = f"expected a checkpoint of this job, or no file: {path}"
    try:
        with np.load(io.BytesIO(path.read_bytes())) as kept:
            found, points = json.loads(str(kept["job"])), kept["points"].tolist()
            weights, bias = kept["weights"], kept["bias"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(f"{expected}: {getattr(error, 'strerror', None) or 'it cannot be read as one'}") from None
    wanted = json.loads(job(facts))
    differing = [f"{name} {found.get(name)!r}, not {value!r}" for name, value in wanted.items() if found.get(name) != value]
    if differing:
        raise UsageError(f"{expected}: it has {', '.join(differing)}")
    return Checkpoint(weights, bias, [Point(seconds, int(examples), loss) for seconds, examples, loss in points])
