"""The types of fields in records and other files: figures that a machine can give, printable names, moments in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from minisgd.common.plain import LAYOUT, printable

Quantity = Annotated[float, Field(ge=1e-60, le=1e60)]
"""A measured figure, within what any machine can give, so that what follows from it is finite."""

Sum = Annotated[float, Field(ge=0, le=1e60)]
Count = Annotated[int, Field(ge=0, le=1 << 128)]
Extent = Annotated[int, Field(ge=1, le=1 << 40)]


def _no_control(text: str) -> str:
    if printable(text, keep=LAYOUT) != text:
        raise ValueError("has control characters")
    return text


Name = Annotated[str, AfterValidator(_no_control)]


def _in_utc(moment: datetime) -> datetime:
    """The moment in UTC; one without a zone, as older tools write it, is in UTC."""
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("not within the years 1 to 9999") from None


Moment = Annotated[datetime, AfterValidator(_in_utc)]

# JSON has no infinity; an error is infinite where an element was left unwritten.
Unbounded = Annotated[
    float,
    Field(ge=0, allow_inf_nan=True),
    BeforeValidator(lambda value: float("inf") if value == "inf" else value),
    PlainSerializer(lambda value: "inf" if value == float("inf") else value, when_used="json"),
]


class Model(BaseModel):
    """A model without unknown fields, which are an error, and with finite numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


M = TypeVar("M", bound=Model)
