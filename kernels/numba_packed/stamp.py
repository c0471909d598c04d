"""What keeps numba's cache on disk true to this package.

The cache looks at the file of a function, and at what the function closes over. A function that closes over this stamp is
compiled anew when any file of the package has changed.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path


@cache
def source_stamp() -> str:
    """A digest of this package's source."""
    return sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))).hexdigest()[:16]
