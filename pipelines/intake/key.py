"""The reader key: the fingerprint of the reader's code, libraries and contracts, by which readings are cached.

Belongs here: that one digest, which a run with nothing new asks for too, so nothing heavy is imported. Not here: the readings (cache.py).
"""

from __future__ import annotations

import hashlib
from importlib.metadata import version

from expectations.contract import Contracts
from pipelines.core.fingerprint import code_of

# The code that reads a file. Whole folders: a list of modules would be forgotten.
_CODE = (
    "pipelines/core",
    "pipelines/intake",
    "expectations/contract",
    "expectations/expression.py",
    "expectations/units.yaml",
)
_LIBRARIES = ("python-calamine", "xlrd", "olefile", "msoffcrypto-tool", "pyarrow")


def key(contracts: Contracts) -> str:
    """Digest the reader's files, the libraries it reads with, and the contracts; 16 hexadecimal digits."""
    libraries = " ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return hashlib.sha256(f"{code_of(*_CODE)} {libraries} {contracts.digest}".encode()).hexdigest()[:16]
