"""Everything that takes a GPU to check, in eight minutes: one log, and a run file of products and one of epochs.

The machine is bare: its own interpreter, no network, none of this project's environments. What its packages lack is carried as
wheels (``make wheels``), pydantic among it: records are written by the model that reads them, so that nothing here knows their
format a second time. The wheels are unpacked beside the machine's packages, and change none of them. Each part is a process with
a time limit of its own, and writes as it goes, so that a part that hangs or crashes costs itself alone.

This file and `parts` import the standard library alone.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import zipfile
from pathlib import Path

from benchmarks.gpu.parts import NO_GPU, PARTS, Log, run

TOOLKIT = Path("/usr/local/cuda")
"""Where a machine's compiler is, from which Numba takes NVVM, and compute-sanitizer."""


def main() -> int:
    """Run the parts; the worst exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--wheels", type=Path, default=Path(".wheels"), help="folder of wheels to unpack, as make wheels fills it"
    )
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", ".runs/cuda")), help="folder that is written to")
    parser.add_argument("--seconds", type=float, default=480, help="for all parts together")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    share = options.seconds / sum(part.seconds for part in PARTS)
    with tempfile.TemporaryDirectory() as folder, Log(options.out / "log.txt") as log:
        environment = prepared(options.wheels, Path(folder))
        statuses = {}
        for part in PARTS:
            statuses[part.name] = run(part, part.seconds * share, environment, options.out, log)
            if part == PARTS[0] and statuses[part.name] == NO_GPU:
                break
        for name, status in statuses.items():
            log.write(f"{name}: {'passed' if status == 0 else f'status {status}'}\n")
        return max(statuses.values())


def prepared(wheels: Path, site: Path) -> dict[str, str]:
    """Unpack the wheels; the variables of a process that finds them before the machine's own packages."""
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
    # The interpreter imports this as it starts: what a wheel does at start, as an installed one would.
    (site / "sitecustomize.py").write_text(f"import site\nsite.addsitedir({str(site)!r})\n", encoding="utf-8")
    path = [str(site), str(Path.cwd()), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1"}
    if TOOLKIT.exists():
        environment.setdefault("CUDA_HOME", str(TOOLKIT))
        environment["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), str(TOOLKIT / "bin")])
    commit = wheels / "commit"
    if commit.exists():
        environment.setdefault("MINISGD_COMMIT", commit.read_text(encoding="utf-8").strip())
    return environment


if __name__ == "__main__":
    sys.exit(main())
