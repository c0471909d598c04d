"""NVIDIA's management library on a GPU that does not exist: its clock rises from idle, and `reasons` say what holds it back."""

from __future__ import annotations

NVML_CLOCK_SM = 1
nvmlClocksEventReasonSwPowerCap = 0x4  # noqa: N816 (NVML's names)
nvmlClocksEventReasonHwSlowdown = 0x8  # noqa: N816
nvmlClocksEventReasonSwThermalSlowdown = 0x20  # noqa: N816
nvmlClocksEventReasonHwThermalSlowdown = 0x40  # noqa: N816
nvmlClocksEventReasonHwPowerBrakeSlowdown = 0x80  # noqa: N816

clocks: list[int] = [345, 900, 1980]
"""From one reading to the next; the last one stays."""

reasons: list[int] = [0x4]
"""Likewise."""


class NVMLError(Exception):
    pass


def _next(values):
    return values.pop(0) if len(values) > 1 else values[0]


def nvmlInit():  # noqa: N802
    pass


def nvmlDeviceGetHandleByIndex(index):  # noqa: N802
    return "GPU-0-1"


def nvmlDeviceGetHandleByUUID(uuid):  # noqa: N802
    if uuid != "GPU-0-1":
        raise NVMLError("Not Found")
    return uuid


def nvmlDeviceGetName(handle):  # noqa: N802
    return "a GPU"


def nvmlSystemGetDriverVersion():  # noqa: N802
    return "580.0"


def nvmlDeviceGetClockInfo(handle, kind):  # noqa: N802
    return _next(clocks)


def nvmlDeviceGetPowerUsage(handle):  # noqa: N802
    return 312_500


def nvmlDeviceGetCurrentClocksEventReasons(handle):  # noqa: N802
    return _next(reasons)
