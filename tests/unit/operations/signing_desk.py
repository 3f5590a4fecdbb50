# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A folder, a key in memory and a ledger: what signing files needs, without Ansible and without AWS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._operations.making_signatures import make_signatures
from ansible_collections.rootstock.pki.plugins.module_utils._operations.sign_file import (
    PlanningPorts,
    SignatureMade,
    SigningPorts,
    SigningWork,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.sign_files import plan_signatures
from ansible_collections.rootstock.pki.plugins.module_utils._operations.signing_key import SigningKey, find_signing_key
from ansible_collections.rootstock.pki.plugins.module_utils._signer.specs import Content, SignatureSpec
from tests.unit.signer.local_kms import KEY_ARN, LocalSigner, local_key

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone.utc)
CALLER = "arn:aws:sts::111122223333:assumed-role/Releases/test"


@dataclass(frozen=True)
class KnownKey:
    """What KMS tells of a public key."""

    der: bytes
    key_arn: str = KEY_ARN
    key_usage: str = "SIGN_VERIFY"


@dataclass
class KeysInMemory:
    """The keys of one account, for somebody who is allowed to do this or that."""

    known: dict[str, KnownKey] = field(default_factory=dict)
    uses: dict[str, str | None] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def public_key(self, key_id: str) -> KnownKey | None:
        self.asked.append(("public_key", key_id))
        return self.known.get(key_id)

    def use_of(self, key_id: str) -> str | None:
        self.asked.append(("use_of", key_id))
        return self.uses.get(key_id, "")


@dataclass
class Desk:
    """Somebody who signs files with one key."""

    folder: Path
    key_spec: str = "ECC_NIST_P256"
    keys: KeysInMemory = field(default_factory=KeysInMemory)
    recorded: bool = False
    now: datetime = NOW
    keep: Callable[[bytes], None] | None = None

    def __post_init__(self) -> None:
        self.private = local_key(self.key_spec)
        self.signer: Any = LocalSigner(self.private)
        self.keys.known["alias/desk"] = KnownKey(self.spki)
        (self.folder / "content").write_bytes(b"a release\n")

    @property
    def spki(self) -> bytes:
        der: bytes = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return der

    @property
    def dest(self) -> Path:
        return self.folder / "content.sig"

    @property
    def ledger(self) -> FileLedger | None:
        return FileLedger(self.folder / "ledger.jsonl", lambda: self.now) if self.recorded else None

    def key(self, public_key: bytes | None = None) -> SigningKey | None:
        return find_signing_key(self.keys, "alias/desk", public_key, "key.pem")

    def spec(self, **changed: Any) -> SignatureSpec:
        content = Content(str(self.folder / "content"))
        return SignatureSpec(**{"content": content, "dest": str(self.dest), **changed})

    def plan(self, *missing: str, public_key: bytes | None = None, **changed: Any) -> SigningWork:
        current = self.dest.read_bytes() if self.dest.exists() and changed.get("dest") != "" else None
        key = self.key(public_key)
        spec = self.spec(**changed)
        (work,) = plan_signatures([spec], key, missing, lambda _dest: current, self.planning)
        return work

    @property
    def planning(self) -> PlanningPorts:
        return PlanningPorts(self.keys, self.ledger.read() if self.ledger else None, self.now)

    @property
    def signing(self) -> SigningPorts:
        return SigningPorts(self.signer, self._keep, self.ledger, CALLER, lambda: self.now, lambda _seconds: None)

    def _keep(self, work: SigningWork, content: bytes) -> None:
        if self.keep:
            self.keep(content)
        elif work.spec.dest:
            Path(work.spec.dest).write_bytes(content)

    def carry_out(self, work: SigningWork) -> SignatureMade:
        (made,) = make_signatures([work], self.signing)
        return made

    def sign(self, **changed: Any) -> SignatureMade:
        return self.carry_out(self.plan(**changed))
