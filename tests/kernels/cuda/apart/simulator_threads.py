"""The simulator's threads, started and waited for without polling; imported by whatever runs kernels in the simulator.

Numba-cuda's own looks at all threads of a block over and over to see which of them wait, and puts its module's stand-in into a
kernel's globals, under a lock that all threads share, whenever a thread calls a device function. Together that takes as long as
the kernel itself.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager

import numpy as np
from numba import cuda
from numba.cuda.simulator import kernel


class Thread(kernel.BlockThread):
    """Of a block."""

    def run(self):
        super().run()
        self._manager.leave(self)

    def syncthreads(self):
        self._manager.meet()


class Block(kernel.BlockManager):
    """Its threads, of which the last to come lets the others go on."""

    def run(self, grid_point, *args):
        self.turn, self.over = threading.Lock(), threading.Event()
        self.running, self.waiting, self.failed = int(np.prod(self._block_dim)), [], None
        for place in np.ndindex(*self._block_dim):
            Thread(lambda: self._f(*args), self, grid_point, place, self._debug).start()
        self.over.wait()
        if self.failed:
            error, trace = self.failed
            raise error.with_traceback(trace)

    def meet(self):
        """Wait until all threads that have not returned are here."""
        with self.turn:
            mine = threading.Lock()
            mine.acquire()
            self.waiting.append(mine)
            self._let_go()
        mine.acquire()
        if self.failed:
            raise RuntimeError("another thread has failed")

    def leave(self, thread):
        """A thread has returned; the others need not wait for it."""
        with self.turn:
            self.running -= 1
            self.failed = self.failed or thread.exception
            self._let_go()
            if self.failed or not self.running:
                self.over.set()

    def _let_go(self):
        if self.failed or len(self.waiting) == self.running:
            for each in self.waiting:
                each.release()
            self.waiting.clear()


swapped: dict[int, tuple[dict[str, object], list[str]]] = {}
"""While a kernel runs: the globals of modules, by their identity, and the names in them that the stand-in has taken."""

swapping = threading.Lock()


def swap(function, stand_in):
    """Put it where a function's module has `numba.cuda`, once a kernel."""
    names = function.__globals__
    if id(names) not in swapped:
        with swapping:
            if id(names) not in swapped:
                found = [name for name, value in names.items() if value is cuda]
                names.update(dict.fromkeys(found, stand_in))
                swapped[id(names)] = names, found


@contextmanager
def swapped_while_it_runs(function, stand_in):
    """For a kernel, and the device functions that it calls."""
    swap(function, stand_in)
    try:
        yield
    finally:
        for names, found in swapped.values():
            names.update(dict.fromkeys(found, cuda))
        swapped.clear()


launched = kernel.FakeCUDAKernel.__call__


def called(self, *args):
    """A kernel, or a device function that a kernel calls."""
    stand_in = kernel._get_kernel_context()
    if stand_in is None:
        return launched(self, *args)
    swap(self.fn, stand_in)
    return self.fn(*args)


kernel.BlockManager, kernel.FakeCUDAKernel.__call__, kernel.swapped_cuda_module = Block, called, swapped_while_it_runs
