"""An epoch of one model by one warp: weights in registers from the first step to the last.

The lanes are laid out over examples and weights: `sharing` lanes share the weights of a model, and as many such groups as the
batch has use for take an example each, in turns where it has more. A step is a dot product, a sum over the lanes of a group, the
residual, and a sum over the groups, of which each waits for the one before. That chain is what an epoch costs: the rest, such as
fetching the next turn's examples, is done while it waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp
from typing import Any

from numpy import int32, uint64

from kernels.cpu.tiles import ITEMSIZE
from kernels.cuda.launch import MOST_SHARED_BYTES
from kernels.cuda.primitives import cuda, inlined
from minisgd.steps.cuda_warp import LANES, summed_over

FEW = 8
"""Weights of a lane, up to which no others share them."""

MOST = {"float32": 32, "float64": 16}
"""Weights of a lane at most: four arrays of them are in its 255 registers."""


@dataclass(frozen=True)
class Layout:
    """How a warp is laid out over a problem; all of it is constant in the compiled code.

    Parameters
    ----------
    n, d, k : int
        Examples, weights of a model, and models that learn from the same examples, each with a target of its own.
    visits : int
        Of an epoch.
    groups : int
        Examples at a time; a power of two.
    in_turns : bool
        Whether a batch takes more than one turn.
    dtype : str
    logistic : bool
    """

    n: int
    d: int
    k: int
    visits: int
    groups: int
    in_turns: bool
    dtype: str
    logistic: bool

    @property
    def sharing(self) -> int:
        """Lanes of a group, a power of two."""
        return sharing(self.d)

    @property
    def own(self) -> int:
        """Weights of a lane."""
        return ceil(self.d / self.sharing)

    @property
    def width(self) -> int:
        """Elements of a row: features and zeros for each lane of a group, then the targets, to an even number."""
        return ceil((self.own * self.sharing + self.k) / 2) * 2

    @property
    def size(self) -> int:
        """Elements of all rows: the examples', one of NaN for a visit of none, and one of zeros where a batch has ended.

        To a multiple of four, since they are copied by 16 bytes.
        """
        return ceil((self.n + 2) * self.width / 4) * 4

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return ITEMSIZE[self.dtype]

    @property
    def held(self) -> bool:
        """Whether rows and visiting order fit in a block's shared memory."""
        return self.size * self.itemsize + 4 * self.visits <= MOST_SHARED_BYTES


def sharing(d: int) -> int:
    """Lanes that share d weights."""
    return min(LANES, 1 << (ceil(d / FEW) - 1).bit_length())


def make(layout: Layout, number: Any) -> Any:
    """The device function ``epoch(rows, order, which, lane, column, w, batch, scale, last_scale)`` for a layout.

    `rows` has all rows one behind the other, and `order` the visits in its row `which`. `w` has a lane's weights and, last, the
    bias, which is the first lane's of a group and 0 for others. The scale is the learning rate over the size of a batch, or over
    that of the last one.

    Parameters
    ----------
    layout : Layout
    number : type
        numpy's, of the elements.
    """
    own, sharing, groups, visits = layout.own, layout.sharing, int32(layout.groups), int32(layout.visits)
    slots, zero, one, in_turns = own + 1, number(0), number(1), layout.in_turns
    row_of, fetch, residual = _reading(layout, number)
    over_groups = summed_over(sharing, sharing * layout.groups)

    @inlined
    def following(at: Any, stop: Any, batch: Any) -> Any:
        """Where the next turn begins, and where its batch ends."""
        if in_turns and at + groups < stop:
            return int32(at + groups), stop
        return stop, min(int32(stop + batch), visits)

    @inlined
    def epoch(rows: Any, order: Any, which: Any, lane: Any, column: Any, w: Any, batch: Any, scale: Any, last_scale: Any) -> None:
        v, ahead, g = cuda.local.array(slots, number), cuda.local.array(slots, number), cuda.local.array(slots, number)
        part, example = int32(lane % sharing), int32(lane // sharing % groups)
        at, stop = int32(0), min(batch, visits)
        fetch(rows, row_of(order, which, example, stop), part, column, v)
        next_at, next_stop = following(at, stop, batch)
        # A row's number is known a turn before the row is read, and the row is read a turn before it is used.
        row = row_of(order, which, next_at + example, next_stop)
        for i in range(slots):
            g[i] = zero
        while at < visits:
            fetch(rows, row, part, column, ahead)
            third_at, third_stop = following(next_at, next_stop, batch)
            row = row_of(order, which, third_at + example, third_stop)
            r = residual(w, v)
            for i in range(own):
                g[i] += r * v[i]
            g[own] += r * (one if at + example < stop and part == 0 else zero)
            if not in_turns or at + groups >= stop:
                rate = scale if stop < visits else last_scale
                for i in range(slots):
                    w[i] -= rate * over_groups(g[i])
                    g[i] = zero
            for i in range(slots):
                v[i] = ahead[i]
            at, stop, next_at, next_stop = next_at, next_stop, third_at, third_stop

    return epoch


def _reading(layout: Layout, number: Any) -> Any:
    """What `make` is made of: the row of a visit, a lane's share of it, and the residual."""
    own, width, targets, last = layout.own, uint64(layout.width), layout.own * layout.sharing, int32(layout.visits - 1)
    zero, one, logistic, nowhere = number(0), number(1), layout.logistic, int32(layout.n + 1)
    over_group, n, held = summed_over(1, layout.sharing), layout.n, layout.held

    @inlined
    def row_of(order: Any, which: Any, at: Any, stop: Any) -> Any:
        """Row of a visit: that of zeros where the batch has ended, and that of NaN for no example."""
        at = int32(at)
        row = order[uint64(which), uint64(min(at, last))]
        if not held:
            row = row if 0 <= row < n else n
        return int32(row) if at < stop else nowhere

    @inlined
    def fetch(rows: Any, row: Any, part: Any, column: Any, to: Any) -> None:
        """A lane's share of an example and, last, its target."""
        start = uint64(row) * width  # unsigned, or numba would count a negative index from the end
        for i in range(own):
            to[i] = rows[0, start + uint64(part * own + i)]
        target = rows[0, start + uint64(targets + column)]
        to[own] = target if logistic or part == 0 else zero

    @inlined
    def residual(w: Any, v: Any) -> Any:
        """Prediction less target, in two sums that do not wait for each other."""
        even, odd = w[own], zero if logistic else -v[own]
        for i in range(0, own - 1, 2):
            even += w[i] * v[i]
            odd += w[i + 1] * v[i + 1]
        if own % 2:
            even += w[own - 1] * v[own - 1]
        z = over_group(even + odd)
        if not logistic:
            return z
        e = number(exp(-abs(z)))
        return (one if z >= zero else e) / (one + e) - v[own]

    return row_of, fetch, residual
