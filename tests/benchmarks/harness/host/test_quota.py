from __future__ import annotations

import pytest

from benchmarks.harness.host import quota

V1 = "cpu,cpuacct/job/cpu.cfs"


@pytest.mark.parametrize(
    ("mine", "files", "cores"),
    [
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000", "a/cpu.max": "150000 100000"}, 1.5),
        ("0::/../x\n", {"cpu.max": "50000 100000"}, 0.5),
        ("4:cpu,cpuacct:/job\n", {f"{V1}_quota_us": "-1", f"{V1}_period_us": "100000"}, None),
        (
            "4:cpu,cpuacct:/job\n",
            {f"{V1}_quota_us": "300000", f"{V1}_period_us": "100000"},
            3.0,
        ),
        ("0::/\n", {"cpu.max": "nonsense"}, None),
        ("0::/\n", {}, None),
    ],
)
def test_the_tightest_quota_of_all_groups_counts(tmp_path, mine, files, cores):
    (tmp_path / "mine").write_text(mine, encoding="utf-8")
    for name, text in files.items():
        (tmp_path / "groups" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / name).write_text(text, encoding="utf-8")
    assert quota.quota(tmp_path / "groups", tmp_path / "mine") == cores
