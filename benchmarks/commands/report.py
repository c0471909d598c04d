"""``python -m benchmarks report``: the page that explains the machine, the kernels and the history."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from benchmarks.commands.options import RUNS
from minisgd.common.cli import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from benchmarks.frameworks.columns import Columns
    from benchmarks.harness.records import Run
    from benchmarks.report.sources import Sources


def report(
    run: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="A run, or an experiment's --json; repeatable. The newest of each kind in .runs, if left out."
        ),
    ] = None,
    asv: Annotated[Path | None, typer.Option(metavar="DIR", help="asv's results folder.")] = None,
    pytest: Annotated[Path | None, typer.Option(metavar="FILE", help="pytest-benchmark's JSON.")] = None,
    gate: Annotated[Path | None, typer.Option(metavar="FILE", help="A gate's --json.")] = None,
    frameworks: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The --json of frameworks; the newest in .runs, if left out.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the page.")] = RUNS / "report",
    readme: Annotated[
        bool, typer.Option("--readme", help="Instead, put the given run's ladder into README.md and docs.")
    ] = False,
    show: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
) -> None:
    """Write one HTML page, which needs no network: index.html, with the raw records beside it.

    Example: python -m benchmarks report --run .runs/20260101T120000.123456Z-quick.json --asv .asv/results
    """
    from benchmarks.report import page
    from minisgd.common.terminal import console, require_writable

    screen = console(None)
    if readme:
        _update_readme(run or [], screen)
        return
    require_writable(out)
    options: dict[str, Sequence[Path | None]] = {
        "--run": run or newest(RUNS),
        "--asv": [asv],
        "--pytest": [pytest],
        "--gate": [gate],
    }
    given = {option: [path for path in dict.fromkeys(paths) if path] for option, paths in options.items()}
    if not any(given.values()):
        raise UsageError(f"{RUNS}: no runs yet; python -m benchmarks run makes one")
    compared = frameworks or max(RUNS.glob("*-frameworks.columns"), default=None)
    with screen.status("reading"):
        sources, names = read(given, compared, out, screen)
    with screen.status("drawing"):
        made = page.save(sources, names, out)
    screen.print(str(made), soft_wrap=True)
    if show:
        open_in_browser(made, screen)


def read(
    given: Mapping[str, Sequence[Path]], compared: Path | None, out: Path, screen: Console
) -> tuple[Sources, dict[Path, str]]:
    """What the page is made from, and the name that each file gets beside it.

    Parameters
    ----------
    given : mapping of str to sequence of Path
        By option: any number of "--run", and one of "--asv", "--pytest" and "--gate" at most.
    compared : Path, optional
        The frameworks' columns.
    out : Path
        Folder of the page.
    screen : Console
        Told what is left out.
    """
    from benchmarks.gate.outcome import Outcome
    from benchmarks.harness import records
    from benchmarks.report import page
    from benchmarks.report.sources import Sources
    from benchmarks.trackers import asv as asv_store
    from benchmarks.trackers import history, pytest_benchmark
    from benchmarks.views.naming import with_families

    names = page.names([path for option, paths in given.items() for path in paths if option != "--asv"], out)
    sources = Sources(command=_command(given), commit_url=_commit_url(Path("asv.conf.json")))
    _read_runs(given.get("--run", ()), names, sources, screen)
    for pytest in given.get("--pytest", ()):
        sources.runs.append((names[pytest], pytest_benchmark.run(pytest)))
    sources.runs = with_families(sources.runs)
    for gate in given.get("--gate", ()):
        sources.outcome = records.read(gate, Outcome, "gate --json")
    if compared:
        sources.columns = _columns(compared)
    for asv in given.get("--asv", ()):
        sources.series = history.series(asv_store.points(asv, lambda line: screen.print(line, style="yellow")), asv)
    return sources, names


def open_in_browser(page: Path, screen: Console) -> None:
    """Show the page; a machine without a browser is told of in a line."""
    import webbrowser

    if not webbrowser.open(page.resolve().as_uri()):
        screen.print(f"--open: no browser here; open {page} where there is one", soft_wrap=True)


def _update_readme(runs: Sequence[Path], screen: Console) -> None:
    """Put a run's ladder into README and docs."""
    from benchmarks.harness import records
    from benchmarks.harness.checkout import require_clone
    from benchmarks.report.readme import update

    require_clone("report --readme")
    if len(runs) != 1:
        raise UsageError("--readme: expected one --run FILE, whose figures the README will show")
    for written in update(records.load(runs[0]), Path()):
        screen.print(str(written), soft_wrap=True)


def _read_runs(files: Sequence[Path], names: Mapping[Path, str], sources: Sources, screen: Console) -> None:
    """Add each file to the sources, as the run or the experiment that it holds."""
    from benchmarks.harness import records
    from benchmarks.report.sources import finding

    for path in files:
        found = _experiment(path)
        if found is None:
            run = records.load(path)
            of_several = any(record.ranks for record in run.records)
            (sources.scaling if of_several else sources.runs).append((names[path], run))
        elif "table" in found:
            sources.findings[finding(found, path).experiment] = found
        else:
            reason = "left out, since an older version made it; run the experiment again"
            screen.print(f"{path}: {reason}", style="yellow", markup=False)


def _columns(path: Path) -> tuple[Columns, Run | None]:
    """What the frameworks' command wrote, and the run beside it, if there is one."""
    from benchmarks.frameworks.columns import Columns
    from benchmarks.harness import records

    columns, beside = records.read(path, Columns, "frameworks --json"), path.with_suffix(".json")
    return columns, records.load(beside) if beside != path and beside.exists() else None


def _command(given: Mapping[str, Sequence[Path]]) -> str:
    """The command that makes the page; a file that lies elsewhere is named without its folder."""
    shown = (
        f"{option} {shlex.quote(path.name if path.is_absolute() else str(path))}"
        for option, paths in given.items()
        for path in paths
    )
    return " ".join(["python -m benchmarks report", *shown])


def _commit_url(settings: Path) -> str:
    """Where asv's settings say that commits can be looked at, if that is on the web: anything else is no link."""
    try:
        address = str(json.loads(settings.read_text(encoding="utf-8")).get("show_commit_url", ""))
        return address if urlsplit(address).scheme in ("http", "https") else ""
    except (OSError, ValueError, AttributeError, RecursionError):  # no settings, or asv's own to complain of
        return ""


def newest(folder: Path) -> list[Path]:
    """The newest run or experiment of each kind; a run's kind ends its name."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("*.json")):
        found[path.stem.partition("-")[2] or path.stem] = path
    return list(found.values())


def _experiment(path: Path) -> dict[str, Any] | None:
    """An experiment's data, if that is what the file holds."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None  # whoever reads it as a run says what is wrong
    return found if isinstance(found, dict) and "experiment" in found else None
