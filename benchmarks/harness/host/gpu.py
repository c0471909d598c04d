"""What NVIDIA's management library says of a GPU: its name, its clock, the power it draws, and what holds the clock down.

It takes nvidia-ml-py and a driver, makes no CUDA context, and so neither takes the GPU's memory nor fails where the GPU is busy.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

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

    def first(nvml: Any) -> str:
        model = nvml.nvmlDeviceGetName(nvml.nvmlDeviceGetHandleByIndex(0))
        return f"{model}, driver {nvml.nvmlSystemGetDriverVersion()}"

    return _answer(first)


def state(uuid: str) -> State | None:
    """The state of the GPU that CUDA knows by this identifier; None if NVML cannot be asked."""

    def now(nvml: Any) -> State:
        handle = nvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
        reasons = nvml.nvmlDeviceGetCurrentClocksEventReasons(handle)
        return State(
            clock_mhz=float(nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM)),
            power_w=nvml.nvmlDeviceGetPowerUsage(handle) / 1000,
            slowed=tuple(each for each in SLOWED if reasons & getattr(nvml, f"nvmlClocksEventReason{each}")),
        )

    return _answer(now)


def _answer(question: Callable[[Any], T]) -> T | None:
    """What NVML answers; None if it is missing or refuses, or an older binding lacks a function."""
    if (nvml := _library()) is None:
        return None
    try:
        return question(nvml)
    except (nvml.NVMLError, AttributeError):
        return None


@cache
def _library() -> Any:
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:  # no driver
        return None
    return pynvml
