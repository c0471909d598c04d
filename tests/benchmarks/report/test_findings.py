"""What the page says first follows from its records, and is left out where they are missing."""

from __future__ import annotations

from runs_for_tests import CEILINGS, MACHINE, make_record, make_run

from benchmarks.report.findings import findings, machines
from benchmarks.report.sources import Sources
from benchmarks.views.naming import run_names, with_families


def product(kernel, gflops, n=256, **changes):
    rates = {"gflops": gflops, "gflops_low": gflops * 0.99, "gflops_high": gflops * 1.01}
    return make_record(kernel=kernel, shape=dict.fromkeys("mnp", n), flops=2 * n**3, **rates, **changes)


def epoch(step, batch, seconds):
    shape = {"n": 1500, "d": 5, "k": 1, "batch": batch}
    return make_record(
        workload="sgd", kernel=step, backend=step, rung="step", shape=shape, median_s=seconds, examples_s=1500 / seconds
    )


def said(*records, **found):
    return [each.text for each in findings(Sources(runs=[("20260102T030405Z-quick.json", make_run(*records))], findings=found))]


def test_the_three_findings_have_their_figures():
    batches = {"rows": [[1, 4e-5, 0.01, 2], [20, 8e-6, 0.1, 3], [1500, 1e-6, 1.0, None]]}
    text = said(
        product("numpy/elementwise", 0.1), product("numpy/full", 40.0), product("numba/elementwise", 2.0),
        product("numba/full", 44.0), product("aocl/full", 42.0), epoch("torch", 1, 0.09), epoch("torch", 20, 0.008),
        **{"batch-size": batches},
    )  # fmt: skip
    assert text == [
        "Blocking makes the same product 22.0 times faster in numba, whose loop is compiled (2.00 to 44.0 GFLOPS at 256); in"
        " numpy one call makes the same product 400 times faster than a loop in the interpreter (0.100 to 40.0 GFLOPS at 256).",
        "numba/full is 1.05 times as fast as the best BLAS here, AOCL: 44.0 GFLOPS at 256, float32, 1 thread.",
        "Batches of 20 come within 1 % of the least loss first, in 24.0 us; torch takes 24.0 ms with the batch size that is"
        " best for it, 20.",
    ]


def test_a_peer_ahead_noise_and_other_sizes_are_said():
    ahead, smaller = said(product("openblas/full", 50.0), product("numba/full", 40.0)), product("numba/elementwise", 2.0, n=64)
    assert ahead == ["openblas/full is 1.25 times as fast as numba/full: 50.0 GFLOPS at 256, float32, 1 thread."]
    third = said(product("openblas/full", 50.0), product("numba/full", 40.0), product("numpy/block", 51.0))
    assert third == [
        "numpy/block is the fastest here: 51.0 GFLOPS at 256, float32, 1 thread; openblas/full is 1.25 times as fast as"
        " numba/full."
    ]
    near = said(product("numba/full", 44.0), product("mkl/full", 43.9), smaller)
    assert near[0].startswith("Blocking makes each multiply-add 22.0 times")
    assert near[1].endswith("; the two intervals overlap.")
    held_back = product("mkl/full", 43.0, held_back=["MKL_ENABLE_INSTRUCTIONS"])
    assert said(product("numba/full", 44.0), held_back) == [
        "numba/full is the fastest here: 44.0 GFLOPS at 256, float32, 1 thread."
    ]


def test_what_is_missing_is_left_out():
    assert said() == []
    assert said(make_record(failure="it crashed", passed=False, gflops=None)) == []
    assert said(**{"batch-size": {"rows": [[1, 4e-5, 0.01, None]]}}) == []
    assert machines(Sources()) == []


def test_every_figure_of_a_sentence_is_among_its_facts():
    found = findings(Sources(runs=[("a.json", make_run(product("numpy/elementwise", 0.1), product("numpy/full", 40.0)))]))
    assert found[0].text.startswith("In numpy one call makes")
    assert {fact.text for fact in found[0].facts} == {"400", "40.0", "0.100"}
    assert found[0].facts[0].spread == "392-408"
    assert all(each.command.startswith("python -m") for each in found)


def test_a_machine_is_a_line_and_is_told_once():
    run = make_run(make_record())
    named = run.model_copy(update={"machine": MACHINE.model_copy(update={"cpu": "AMD EPYC", "core": "znver1"})})
    lines = [each.text for each in machines(Sources(runs=[("a.json", named), ("b.json", named)]))]
    assert lines == [
        "AMD EPYC (Zen 1, AVX2): 2 cores, L1 32 KiB, at most 100 GFLOPS on 1 thread and 200 GFLOPS on 2 threads (float32"
        " multiply-adds from registers), 10.0 GB/s from memory."
    ]
    with_gpu = MACHINE.model_copy(update={"gpu": "a GPU", "ceilings": MACHINE.ceilings | {"cuda": CEILINGS}})
    (line,) = machines(Sources(runs=[("a.json", run.model_copy(update={"machine": with_gpu}))]))
    assert line.text.endswith("10.0 GB/s from memory, a GPU with at most 200 GFLOPS.")


def test_a_run_without_the_cpu_s_family_gets_that_of_the_one_machine_like_it():
    old = make_run(make_record())

    def of(core, **changes):
        return old.model_copy(update={"machine": MACHINE.model_copy(update={"core": core} | changes)})

    def families(*runs):
        return [run.machine.core for _, run in with_families([("a.json", run) for run in runs])]

    software = {"python": "3.14", "libraries": {"numpy": "3"}, "memory_bytes": MACHINE.memory_bytes + 1}
    assert families(old, of("znver1", **software)) == ["znver1", "znver1"]
    assert families(old, of("znver1"), of("znver2")) == ["", "znver1", "znver2"], "it could be either"
    assert families(old, of("znver1", cores=MACHINE.cores + 1)) == ["", "znver1"]


def test_runs_have_names_that_tell_them_apart():
    run = make_run(make_record())
    given = [("20260102T030405Z-quick.json", run), ("20260102T030406Z-sizes.json", run), ("20260102T050000Z-quick.json", run)]
    same = run_names(given)
    assert same[1] == "a CPU (AVX2), ccccccc, sizes, 2026-01-02"
    assert len(set(same)) == 3
    assert not any("T03" in name for name in same)
