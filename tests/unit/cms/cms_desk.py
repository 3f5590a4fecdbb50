# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A folder, keys in memory and a ledger: what signing messages needs, without Ansible and without AWS."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ansible_collections.rootstock.pki.plugins.module_utils._cms.codec import DerCodec
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._operations.sign_cms import (
    CmsPlanningPorts,
    CmsSigningPorts,
    CmsWork,
    Hand,
    make_cms,
    plan_cms,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.verify_cms import (
    CmsQuestion,
    CmsVerdict,
    verify_cms,
)
from ansible_collections.rootstock.pki.plugins.module_utils._signer.cms import CmsSigner, CmsSpec
from ansible_collections.rootstock.pki.plugins.module_utils._signer.specs import Content
from tests.unit.cms.cms_people import NOW, cms_signer, middle, root
from tests.unit.operations.signing_desk import CALLER, KeysInMemory, KnownKey
from tests.unit.signer.local_kms import LocalSigner, local_key

CONTENT = b"We agree on this.\nAnd on that: \x00\xff\r\n--\n"


@dataclass
class CmsDesk:
    """Somebody who signs one content."""

    folder: Path
    signers: tuple[CmsSigner, ...] = field(default_factory=lambda: (cms_signer("ECC_NIST_P256"),))
    keys: KeysInMemory = field(default_factory=KeysInMemory)
    recorded: bool = False
    now: datetime = NOW
    hands: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.content = self.folder / "contract.pdf"
        self.content.write_bytes(CONTENT)
        for signer in self.signers:
            key_spec, _hyphen, which = signer.key_id.removeprefix("alias/").rpartition("-")
            private = local_key(key_spec) if which == "0" else local_key(key_spec, int(which))
            info = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            self.keys.known[signer.key_id] = KnownKey(info)
            self.hands[signer.key_id] = LocalSigner(private)

    @property
    def dest(self) -> Path:
        return self.folder / "contract.p7s"

    @property
    def ledger(self) -> FileLedger | None:
        return FileLedger(self.folder / "ledger.jsonl", lambda: self.now) if self.recorded else None

    def spec(self, **changed: Any) -> CmsSpec:
        given: dict[str, Any] = {
            "content": Content(str(self.content)),
            "dest": str(self.dest),
            "form": "der",
            "attached": False,
            "signing_time": True,
            "signers": self.signers,
            "certificates": (*(one.certificate for one in self.signers), middle()),
            "intermediates": (middle(),),
            "anchors": (root(),),
        }
        return CmsSpec(**{**given, **changed})

    def plan(self, *missing: str, **changed: Any) -> CmsWork:
        spec = self.spec(**changed)
        state = self.ledger.read() if self.ledger else None
        ports = CmsPlanningPorts(DerCodec(), [self.keys] * len(spec.signers), state, self.now)
        return plan_cms(spec, missing, ports)

    def keep(self, pieces: Iterable[bytes | memoryview]) -> None:
        new = self.dest.with_suffix(".new")
        with new.open("wb") as file:
            for piece in pieces:
                file.write(piece)
        new.rename(self.dest)

    def carry_out(self, work: CmsWork) -> dict[str, Any]:
        hands = [Hand(self.hands[signer.key_id], CALLER) for signer in work.spec.signers]
        ports = CmsSigningPorts(DerCodec(), hands, self.keep, self.ledger, lambda: self.now, lambda _seconds: None)
        return make_cms(work, ports)

    def sign(self, **changed: Any) -> dict[str, Any]:
        return self.carry_out(self.plan(**changed))

    def verify(self, with_content: bool = True, **changed: Any) -> CmsVerdict:
        given: dict[str, Any] = {
            "message": str(self.dest),
            "content": Content(str(self.content)) if with_content else None,
            "certificates": (),
            "anchors": (root(),),
            "at": self.now,
        }
        return verify_cms(CmsQuestion(**{**given, **changed}), DerCodec())

    @property
    def asked(self) -> int:
        """How often any key was asked."""
        return sum(len(hand.asked) for hand in self.hands.values())
