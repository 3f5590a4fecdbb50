# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tree whose role runs daily for twenty years never fails, and nothing in it expires."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from ansible_collections.rootstock.pki.plugins.module_utils._operations.crl_plan import file_crl_ports, plan_crls
from ansible_collections.rootstock.pki.plugins.module_utils._operations.make_crl import CrlSigning, carry_out_crl
from ansible_collections.rootstock.pki.plugins.module_utils._pki.crl_task import CrlTask
from ansible_collections.rootstock.pki.plugins.module_utils._pki.profiles import PROFILES
from ansible_collections.rootstock.pki.plugins.module_utils._pki.request import RENEW_BEFORE
from ansible_collections.rootstock.pki.plugins.module_utils._pki.task import LEDGER_NAME, Source
from ansible_collections.rootstock.pki.plugins.module_utils._pki.times import renew_time, to_duration
from tests.unit.examples.example_tree import inventory, issue, make_keys, plan_of
from tests.unit.operations.crl_desk import store
from tests.unit.operations.workshop import CALLER, START, Workshop

DAY = timedelta(days=1)
TWENTY_YEARS = timedelta(days=20 * 365 + 5)
NAMES = {"tls_server": "DNS:a.example", "tls_peer": "DNS:b.example", "email_protection": "email:a@acme.example"}


def every_lifetime() -> dict[str, Any]:
    """Return an inventory that leaves every time to its default."""
    authority = {"name": "root", "certificate_profile": "root_ca", "subject": {"CN": "Root"}, "key": {}}
    below = {**authority, "name": "issuing", "certificate_profile": "subordinate_ca", "issuer": "root"}
    last = {**below, "name": "last", "issuer": "issuing", "not_after": "issuer"}
    certificates = [
        {
            "name": profile.name.replace("_", "-"),
            "issuer": "issuing",
            "certificate_profile": profile.name,
            "subject": {"CN": profile.name},
            "subject_alt_name": [NAMES.get(profile.name, "DNS:c.example")],
            "key": {},
        }
        for profile in {profile.not_after: profile for profile in PROFILES.values() if not profile.ca}.values()
    ]
    certificates += [{**one, "name": "late", "issuer": "last"} for one in certificates if one["name"] == "timestamping"]
    return {
        "pki_name": "defaults",
        "pki_authorities": [
            authority,
            {**below, "subject": {"CN": "Issuing"}},
            {**last, "subject": {"CN": "Last"}},
        ],
        "pki_certificates": certificates,
    }


def lives_for_a_year(entry: dict[str, Any]) -> bool:
    """Leave out what is renewed a hundred times and fits in wherever something else does."""
    return to_duration(entry.get("not_after") or PROFILES[entry["certificate_profile"]].not_after) >= 365 * DAY


@dataclass
class Daily:
    """A tree that is kept by one run a day, each of whose tasks takes a minute."""

    folder: Path
    variables: dict[str, Any]
    shop: Workshop = field(init=False)
    plan: dict[str, Any] = field(init=False)
    due: dict[str, datetime] = field(default_factory=dict)
    issued: dict[str, x509.Certificate] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.variables["pki_certificates"] = list(filter(lives_for_a_year, self.variables["pki_certificates"]))
        self.plan = plan_of(self.variables, self.folder)
        assert self.plan["problems"] == []
        self.shop = Workshop(self.folder)
        make_keys(self.shop, self.plan, "ECC_NIST_P256")  # its kind says nothing of time, and it is quick

    def run(self, day: datetime) -> None:
        """Run the tasks that have something to do on *day*."""
        self.shop.clock.now = day
        for options in self.plan["certificates"]:
            if self.due.get(options["name"], day) <= day:
                issue(self.shop, options)
                self.issued[options["name"]] = made = self.certificate(options)
                self.due[options["name"]] = self.renewal(options, made)
            self.shop.clock.forward(minutes=1)

    def renewal(self, options: dict[str, Any], certificate: x509.Certificate) -> datetime:
        if "issuer_path" not in options:
            return certificate.not_valid_after_utc  # a root stays as it is
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        return renew_time(start, end, options.get("renew_before") or RENEW_BEFORE)

    def make_crl(self, options: dict[str, Any]) -> None:
        issuer, clock = Path(options["issuer_path"]), self.shop.clock
        source = Source(str(issuer), issuer.read_bytes())
        key_id = options["issuer_key_id"]
        task = CrlTask(source, key_id, str(issuer.with_name(LEDGER_NAME)), options["path"])
        ports = file_crl_ports(task, clock)
        signing = CrlSigning(
            self.shop.signers[key_id], lambda: CALLER, clock, store, lambda: int(clock().timestamp()) * 1000
        )
        for planned in plan_crls(task, ports):
            carry_out_crl(planned, ports, signing)

    def certificate(self, options: dict[str, Any]) -> x509.Certificate:
        return x509.load_pem_x509_certificate(Path(options["path"]).read_bytes())

    def verdict(self, options: dict[str, Any]) -> str:
        """Return what openssl says of a certificate with the files that were made for it."""
        root = [options.get("issuer_path", options["path"]), *options.get("issuer_chain_path", ())][-1]
        chain = options.get("chain_path") or options.get("fullchain_path") or options["path"]
        pki, at = self.folder / "pki", int(self.shop.clock().timestamp())
        crls = b"".join(path.read_bytes() for path in sorted(pki.glob("*/crl.pem")))
        (self.folder / "crls").write_bytes(crls)
        command = ["openssl", "verify", "-x509_strict", "-crl_check_all", "-attime", str(at)]
        command += ["-CAfile", root, "-CRLfile", str(self.folder / "crls"), "-untrusted", chain, options["path"]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr


@pytest.mark.parametrize("variables", [inventory, every_lifetime])
def test_a_tree_that_is_run_daily_lives_for_twenty_years(
    variables: Callable[[], dict[str, Any]], tmp_path: Path
) -> None:
    tree = Daily(tmp_path, variables())
    day = START
    while day < START + TWENTY_YEARS:
        tree.run(day)
        assert min(one.not_valid_after_utc for one in tree.issued.values()) > day + DAY
        assert min(tree.due.values()) > day
        day += -((day - min(tree.due.values())) // DAY) * DAY  # the first run from then on
    for options in tree.plan["crls"]:
        tree.make_crl(options)
    for options in tree.plan["certificates"]:
        assert tree.verdict(options).endswith(": OK\n")
