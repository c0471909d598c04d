"""A sweep in shards and its merge give the full list; whatever does not belong together is refused in a line."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands_for_tests import run as command
from runs_for_tests import CEILINGS, MACHINE, make_record, make_run

from benchmarks.harness import merging, shards
from benchmarks.harness.machines import Ceilings, Peak
from benchmarks.harness.records import Case, Record, load, save
from minisgd.common.cli import UsageError

CASES = [Case.model_validate({name: getattr(make_record(threads=t), name) for name in Case.model_fields}) for t in range(1, 8)]


def shard_run(text, cases=CASES, preset="quick", **changes):
    """A path, and the run of a shard whose records failed: those are kept too."""
    shard = shards.parse(text, preset, cases)
    records = [Record(**dict(case), failure="a reason") for case in shard.part(cases)]
    return Path(text.replace("/", "of")), make_run(*records).model_copy(update={"shard": shard} | changes)


@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_shards_are_disjoint_and_their_merge_is_the_list_in_its_order(of):
    runs = [shard_run(f"{number}/{of}") for number in range(1, of + 1)]
    lengths = [len(run.records) for _, run in runs]
    assert sum(lengths) == len(CASES)
    assert max(lengths) - min(lengths) <= 1
    merged = merging.merge(runs[::-1])
    assert [record.title for record in merged.records] == [case.title for case in CASES]
    assert merged.shard is None


def test_the_ceilings_of_all_shards_are_kept_and_the_better_of_each():
    more = Ceilings(peaks=[Peak(dtype="float32", threads=t, gflops=g) for t, g in ((2, 250.0), (4, 400.0))], bandwidths=[])
    other = {"machine": MACHINE.model_copy(update={"ceilings": {"cpu": more}})}
    found = merging.merge([shard_run("1/2"), shard_run("2/2", **other)]).machine.ceilings["cpu"]
    assert {peak.threads: peak.gflops for peak in found.peaks} == {1: 100.0, 2: 250.0, 4: 400.0}
    assert found.bandwidths == CEILINGS.bandwidths


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([shard_run("1/2"), shard_run("1/2")], "1of2: shard 1/2, as 1of2 is; expected each shard once"),
        ([shard_run("1/3"), shard_run("3/3")], "shard 2/3 is missing; run it with the same options and --shard 2/3"),
        ([shard_run("1/2"), shard_run("2/2", preset="full")], "another preset than 1of2: full, not quick"),
        ([shard_run("1/2"), shard_run("2/2", commit="d" * 40)], "another commit than 1of2: dddd"),
        ([shard_run("1/2"), shard_run("2/3")], "another number of shards than 1of2: 3, not 2"),
        ([shard_run("1/2"), shard_run("2/2", CASES[::-1])], "another list of cases than 1of2"),
        (
            [shard_run("1/2"), shard_run("2/2", machine=MACHINE.model_copy(update={"cpu": "another CPU"}))],
            "another machine than 1of2: another CPU, 2 cores, no GPU, numpy 2.4.6, not a CPU",
        ),
        ([(Path("whole"), make_run())], "whole: not a shard; expected a run that was made with --shard i/n"),
        ([shard_run("1/2", records=[])], "1of2: cut short, with 0 of 4 cases; measure shard 1/2 again"),
        (
            [shard_run("1/2", shard=shards.parse("1/2", "quick", CASES).model_copy(update={"finished": False}))],
            "1of2: cut short before its last round; measure shard 1/2 again",
        ),
    ],
)
def test_what_does_not_belong_together_is_one_line(runs, said):
    with pytest.raises(UsageError) as complaint:
        merging.merge(runs)
    assert said in str(complaint.value)
    assert "\n" not in str(complaint.value)


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "a/b", "1/8"])
def test_a_shard_that_makes_no_sense_is_one_line(text):
    with pytest.raises(UsageError, match="expected"):
        shards.parse(text, "quick", CASES)


def test_two_shards_and_their_merge_measure_exactly_the_full_list(tmp_path, two_rounds):
    arguments = ("--kernel", "numpy/[ef]*", "--size", 8, "--size", 9, "--threads", 1, "--runs", tmp_path)
    done = [command("benchmarks", "run", *arguments, "--shard", f"{number}/2") for number in (1, 2)]
    assert [each.returncode for each in done] == [0, 0], done
    parts = sorted(tmp_path.glob("*.json"))
    merged = tmp_path / "whole.json"
    done = command("benchmarks", "merge", *parts, "--runs", tmp_path / "merged", "--json", merged)
    assert done.returncode == 0, done.stderr
    found = load(merged)
    titles = [f"numpy/{rung}-{size}-float32-x1" for rung in ("elementwise", "full") for size in (8, 9)]
    assert [record.title for record in found.records] == titles
    assert all(record.passed and len(record.samples_per_round) == 2 for record in found.records)
    assert load(next((tmp_path / "merged").glob("*.json"))) == found
    done = command("benchmarks", "merge", parts[0], parts[0], "--runs", tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_a_run_that_was_kept_before_there_were_shards_loads(tmp_path):
    path = tmp_path / "run.json"
    save(make_run(make_record()), path)
    path.write_text(path.read_text(encoding="utf-8").replace(',\n "shard": null', ""), encoding="utf-8")
    assert "shard" not in path.read_text(encoding="utf-8")
    assert load(path).shard is None
