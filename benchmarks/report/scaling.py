"""The section on several processes: strong and weak scaling, and the model fitted to it."""

from __future__ import annotations

from benchmarks.report.section import Section
from benchmarks.report.sources import Sources
from benchmarks.scaling import compared, model
from benchmarks.views import scaling, scaling_pictures


def section(sources: Sources) -> Section:
    """Runs of `benchmarks scale`, one after another."""
    made = Section("processes", "Several processes", "python -m benchmarks scale --workload gemm")
    for _, run in sources.scaling:
        fitted = model.fit(run)
        made.sentences += [*scaling.sentences(run), *scaling.reasons(fitted, run)]
        made.tables += [each for each in (scaling.strong(run), scaling.weak(run), *scaling.modelled(fitted)) if each.rows]
        if compared.strong(run) or compared.weak(run):
            made.draw(scaling_pictures.measured(run), "How much of R times one process R ranks do.")
        if fitted:
            made.draw(scaling_pictures.paying(fitted), "The batch from which more ranks pay, by the model.")
    return made
