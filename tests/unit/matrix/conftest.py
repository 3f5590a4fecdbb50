# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys of every spec, each made once a run: RSA keys take seconds, and every worker needs them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tests.unit.signer.local_kms import local_key

MakeKey = Callable[[str, int], Any]


@pytest.fixture(scope="session")
def key_of(tmp_path_factory: pytest.TempPathFactory) -> MakeKey:
    """Return a function from a key spec and a number to a private key that all workers share."""
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    @cache
    def key(key_spec: str, which: int) -> Any:
        return (
            _shared(folder / f"{key_spec}-{which}.pem", key_spec) if "RSA" in key_spec else local_key(key_spec, which)
        )

    return key


def _shared(path: Path, key_spec: str) -> Any:
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        pem = file.read()
        if pem:
            return load_pem_private_key(pem, None)
        made = local_key(key_spec, hash(path))
        file.write(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return made
