# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every kind of issuer certifies every kind of key from every source under every profile, and third parties agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from ansible_collections.rootstock.pki.plugins.module_utils._pki.profiles import PROFILES
from tests.unit.corpus.damage import THOROUGH
from tests.unit.matrix.conftest import MakeKey
from tests.unit.matrix.judges import (
    PURPOSES,
    openssl_verdicts,
    pkilint_findings,
    pyca_verdict,
    pyca_verifies,
)
from tests.unit.rfc5280.office import Office, csr_pem, public_pem
from tests.unit.signer.local_kms import SIGNING_SPECS, LocalSigner

HASHES, PADDINGS = ("sha256", "sha384", "sha512"), ("pkcs1v15", "pss")
SOURCES = ("key in KMS", "request", "public key")
BELOW = [name for name, profile in PROFILES.items() if not profile.self_signed]
HOST = "web.acme.internal"
NAMES = {"subject_alt_name": [f"DNS:{HOST}", "email:web@acme.internal"]}
NAMED = [name for name, profile in PROFILES.items() if not profile.ca]

ACCEPTED: dict[str, str] = {}
"""Findings of pkilint that are known and right as they are, with the reason; there are none."""


@dataclass(frozen=True)
class Issuer:
    """How an authority signs."""

    key_spec: str
    digest: str = ""
    padding: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.key_spec, self.padding, self.digest)))

    @property
    def options(self) -> dict[str, str]:
        given = {"digest": self.digest, "signature_padding": self.padding}
        return {option: value for option, value in given.items() if value}

    @property
    def known_to_openssl(self) -> bool:
        """OpenSSL knows ML-DSA from 3.5 on; what it does not know is left to pyca."""
        return not self.key_spec.startswith("ML_DSA")


def issuers() -> Iterator[Issuer]:
    for key_spec in SIGNING_SPECS:
        if key_spec.startswith("RSA"):
            yield from (Issuer(key_spec, digest, padding) for digest in HASHES for padding in PADDINGS)
        else:
            yield Issuer(key_spec)


@dataclass(frozen=True)
class Subject:
    """What is certified: the spec of its key, where that comes from, and as what."""

    key_spec: str
    source: str
    profile: str


def subjects(shift: int) -> list[Subject]:
    """Return every subject in the thorough run, else one of each key spec, so that over all issuers all pairs come."""
    if THOROUGH:
        every = [Subject(spec, source, profile) for spec in SIGNING_SPECS for source in SOURCES for profile in BELOW]
        return [one for one in every if _fits(one.key_spec, one.profile)]
    return [_sampled(spec, shift, place) for place, spec in enumerate(SIGNING_SPECS)]


def _sampled(key_spec: str, shift: int, place: int) -> Subject:
    profiles = [profile for profile in BELOW if _fits(key_spec, profile)]
    return Subject(key_spec, SOURCES[(shift + 2 * place) % len(SOURCES)], profiles[(shift + place) % len(profiles)])


def _fits(key_spec: str, profile: str) -> bool:
    allowed = PROFILES[profile].key_specs
    return not allowed or key_spec in allowed


@dataclass
class Bureau:
    """An authority in a folder of its own, and what it certifies."""

    office: Office
    issuer: Issuer
    key_of: MakeKey

    def __post_init__(self) -> None:
        self._keep("root", self.key_of(self.issuer.key_spec, 1))
        self.root = self.office.certify("root", "root_ca", not_after="+7300d", **self.issuer.options)

    def _keep(self, alias: str, key: Any) -> str:
        self.office.keys[alias], self.office.signers[alias] = key, LocalSigner(key)
        return alias

    def certify(self, name: str, subject: Subject) -> x509.Certificate:
        key = self.key_of(subject.key_spec, 2)
        source = {
            "key in KMS": lambda: {"key_id": self._keep("subject", key)},
            "request": lambda: {"csr_content": csr_pem(key=key), "subject": {"common_name": name}},
            "public key": lambda: {"public_key_content": public_pem(key)},
        }[subject.source]()
        names = NAMES if subject.profile in NAMED else {}
        return self.office.certify(name, subject.profile, "root", **names, **source, **self.issuer.options)


def against(bureau: Bureau, certificates: dict[str, tuple[Subject, x509.Certificate]]) -> list[str]:
    """Return what third parties say against *certificates*."""
    found = []
    for subject, certificate in certificates.values():
        found += [f"{subject}: pkilint {code}" for code in pkilint_findings(certificate) if code not in ACCEPTED]
        found += [f"{subject}: pyca {told}" for told in _pyca(bureau, subject, certificate) if told]
    if bureau.issuer.known_to_openssl:
        found += [f"{certificates[name][0]}: OpenSSL {told}" for name, told in _openssl(bureau, certificates)]
    return found


def _pyca(bureau: Bureau, subject: Subject, certificate: x509.Certificate) -> list[str]:
    certificate.verify_directly_issued_by(bureau.root)
    if not subject.profile.startswith("tls") or not pyca_verifies(bureau.root.public_key()):
        return []
    hosts = {"tls_server": [HOST], "tls_client": [""], "tls_peer": [HOST, ""]}[subject.profile]
    return [pyca_verdict(bureau.root, certificate, bureau.office.clock.now, host) for host in hosts]


def _openssl(bureau: Bureau, certificates: dict[str, tuple[Subject, x509.Certificate]]) -> Iterator[tuple[str, str]]:
    for profile in BELOW:
        judged = {
            name: certificate
            for name, (subject, certificate) in certificates.items()
            if subject.profile == profile and not subject.key_spec.startswith("ML_DSA")
        }
        if judged:
            told = openssl_verdicts(
                bureau.office.folder, bureau.root, judged, bureau.office.clock.now, PURPOSES.get(profile, "")
            )
            yield from ((name, verdict) for name, verdict in told.items() if verdict)


EVERY_ISSUER = list(issuers())


@pytest.mark.parametrize(("place", "issuer"), list(enumerate(EVERY_ISSUER)), ids=list(map(str, EVERY_ISSUER)))
def test_what_an_issuer_certifies_is_accepted(tmp_path: Path, key_of: MakeKey, place: int, issuer: Issuer) -> None:
    wanted = subjects(place)
    found = []
    for profile in BELOW if THOROUGH else [""]:  # Ed25519 authorities stay small: their CRLs have to fit 4096 octets
        bureau = Bureau(Office(tmp_path / (profile or "all")), issuer, key_of)
        chosen = [subject for subject in wanted if profile in ("", subject.profile)]
        named = {f"subject-{number}": subject for number, subject in enumerate(chosen)}
        found += against(bureau, {name: (subject, bureau.certify(name, subject)) for name, subject in named.items()})
    assert found == []


@pytest.mark.parametrize("issuer", EVERY_ISSUER, ids=str)
def test_a_root_is_accepted(tmp_path: Path, key_of: MakeKey, issuer: Issuer) -> None:
    bureau = Bureau(Office(tmp_path), issuer, key_of)
    assert [code for code in pkilint_findings(bureau.root) if code not in ACCEPTED] == []
    bureau.root.verify_directly_issued_by(bureau.root)
    if issuer.known_to_openssl:
        assert openssl_verdicts(tmp_path, bureau.root, {"root": bureau.root}, bureau.office.clock.now) == {"root": ""}


def test_the_quick_run_meets_every_pair() -> None:
    """Issuer and key spec, issuer and source, key spec and profile, source and profile."""
    met = [(str(issuer), subject) for place, issuer in enumerate(EVERY_ISSUER) for subject in subjects(place)]
    assert len({(issuer, one.key_spec) for issuer, one in met}) == len(EVERY_ISSUER) * len(SIGNING_SPECS)
    assert len({(issuer, one.source) for issuer, one in met}) == len(EVERY_ISSUER) * len(SOURCES)
    fitting = [(spec, profile) for spec in SIGNING_SPECS for profile in BELOW if _fits(spec, profile)]
    assert {(one.key_spec, one.profile) for _issuer, one in met} == set(fitting)
    assert len({(one.source, one.profile) for _issuer, one in met}) == len(SOURCES) * len(BELOW)
