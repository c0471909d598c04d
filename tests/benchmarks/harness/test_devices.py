"""What a device does with the arrays that it is given."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.harness.devices import Cpu


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_arrays_of_one_placement_lie_alike(library):
    host = np.arange(6.0).reshape(2, 3)
    places = []
    for seed in (1, 1, 2):
        device = Cpu(seed)
        kept = [device.place(host, library) for _ in range(3)]
        assert all(np.array_equal(array, host) for array in kept)
        places.append([np.asarray(array).ctypes.data % 4096 for array in kept])
    assert places[0] == places[1] != places[2]
    assert len(set(places[0])) == 3
