"""What NVIDIA's management library says of a GPU: its name, its clock, the power it draws, and what holds the clock down.

It takes nvidia-ml-py and a driver, makes no CUDA context, and so neither takes the GPU's memory nor fails where the GPU is busy.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple

SLOWED = ("SwThermalSlowdown", "HwThermalSlowdown", "HwSlowdown", "HwPowerBrakeSlowdown")
"""Reasons, in NVML's words, for which a clock is lower than the card can keep up: heat, and a power supply that gives way.

Its own power limit (SwPowerCap) is none of them: a product in half precision runs at it as long as it runs.
"""


class State(NamedTuple):
    """A GPU at one moment.

    Parameters
    ----------
    clock_mhz : float
        Of its multiprocessors.
    power_w : float
    slowed : tuple of str
        Which of `SLOWED` are in force.
    """

    clock_mhz: float
    power_w: float
    slowed: tuple[str, ...]


def name() -> str | None:
    """Model and driver of the first GPU, None if there is none or NVML cannot be asked."""
    nvml = _library()
    with suppress(Exception):  # NVMLError, or an attribute that an older binding lacks: what is not told is left out
        model = nvml.nvmlDeviceGetName(nvml.nvmlDeviceGetHandleByIndex(0))
        return f"{model}, driver {nvml.nvmlSystemGetDriverVersion()}"
    return None


def state(uuid: str) -> State | None:
    """The state of the GPU that CUDA knows by this identifier; None if NVML cannot be asked."""
    nvml = _library()
    with suppress(Exception):
        handle = nvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
        reasons = nvml.nvmlDeviceGetCurrentClocksEventReasons(handle)
        return State(
            clock_mhz=float(nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM)),
            power_w=nvml.nvmlDeviceGetPowerUsage(handle) / 1000,
            slowed=tuple(each for each in SLOWED if reasons & getattr(nvml, f"nvmlClocksEventReason{each}")),
        )
    return None


@cache
def _library() -> Any:
    with suppress(Exception):
        import pynvml

        pynvml.nvmlInit()
        return pynvml
    return None
