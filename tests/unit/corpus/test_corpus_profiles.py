# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Profiles that do not exist, that are defined wrong, or that the key or the options do not fit."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._pki.profiles import KEY_SPECS, PROFILES
from ansible_collections.rootstock.pki.plugins.module_utils._signer import algorithms
from tests.unit.corpus.bad_requests import GOOD, Bad, each, refused
from tests.unit.rfc5280.office import Office, public_pem, somebodys_key
from tests.unit.signer.local_kms import SIGNING_SPECS


def own(id_: str, says: str, definition: Any) -> Bad:
    """Return a request under the profile `own`, defined so."""
    return Bad(id_, says, {"certificate_profiles": {"own": definition}, **GOOD}, profile="own")


def tls(id_: str, says: str, **said: Any) -> Bad:
    return own(id_, says, {"extends": "tls_server", **said})


DEFINITIONS = [
    own("text", "certificate profile own: expected a dictionary with extends", "tls_server"),
    own("nothing", "expected a dictionary with extends", None),
    own("list", "expected a dictionary with extends", ["tls_server"]),
    own("extends nothing", "extends has to name one of root_ca", {}),
    own("extends unknown", "extends has to name one of", {"extends": "web"}),
    own("extends itself", "extends has to name one of", {"extends": "own"}),
    own("extends a list", "extends has to name one of", {"extends": ["tls_server"]}),
    tls("unknown option", "path_length is unknown; there are extends, key_usage", path_length=0),
    tls("authority", "ca is unknown", ca=True),
    tls("usage unknown", "key_usage: sign is unknown", key_usage=["sign"]),
    tls("usage text", "key_usage has to be a list of texts", key_usage="digital_signature"),
    tls("usage numbers", "key_usage has to be a list of texts", key_usage=[1]),
    tls("usage by key type", "key_usage: DSA is no type of key; there are RSA, EC", key_usage={"DSA": []}),
    tls("usage by key type, text", "key_usage has to be a list of texts", key_usage={"RSA": "digital_signature"}),
    tls("purpose unknown", "extended_key_usage: web is unknown", extended_key_usage=["web"]),
    tls("purpose nothing", "extended_key_usage has to be a list of texts", extended_key_usage=None),
    tls("critical text", "extended_key_usage_critical has to be true or false", extended_key_usage_critical="yes"),
    tls("kinds unknown", "san_kinds: dns is unknown; there are DNS", san_kinds=["dns"]),
    tls("kinds text", "san_kinds has to be a list of texts", san_kinds="DNS"),
    tls("csr extensions unknown", "csr_extensions: basic_constraints is unknown", csr_extensions=["basic_constraints"]),
    tls("copied kinds unknown", "csr_san_kinds: dns is unknown; there are DNS", csr_san_kinds=["dns"]),
    tls("copied type unknown", "csr_san_kinds: otherName:upn is unknown", csr_san_kinds=["otherName:upn"]),
    tls("copied type of another", "csr_san_kinds: RID:1.2.3 is unknown", csr_san_kinds=["RID:1.2.3"]),
    tls("copied kinds text", "csr_san_kinds has to be a list of texts", csr_san_kinds="DNS"),
    tls("key specs unknown", "key_specs: RSA_1024 is unknown; there are RSA_2048", key_specs=["RSA_1024"]),
    tls("key specs text", "key_specs has to be a list of texts", key_specs="RSA_2048"),
    tls("end unknown", "time span 'next year' is not understood", not_after="next year"),
    tls("end number", "time span '90' is not understood", not_after=90),
    tls("end behind", "not_after -90d is no time to come", not_after="-90d"),
    tls("end now", "longest 0d is no time to come", longest="0d"),
    tls("longest nothing", "time span 'None' is not understood", longest=None),
    tls("no check text", "ocsp_no_check has to be true or false", ocsp_no_check="true"),
    tls("two problems", "san_kinds: dns is unknown", san_kinds=["dns"], key_specs=["DSA"]),
    tls(
        "another kind of key",
        "the subject key is ECC_NIST_P256, and certificate_profile own allows RSA_4096",
        key_specs=["RSA_4096"],
    ),
    tls("longer than it may be", "longer than the 90d of certificate_profile own", longest="90d", not_after="92d"),
    tls("other names", "needs a subject_alt_name of URI", san_kinds=["URI"]),
]
UNKNOWN = [
    Bad("nearly", "certificate_profile tls_sever does not exist; did you mean tls_server?", profile="tls_sever"),
    Bad("nothing like it", "does not exist; there are root_ca", profile="zzz"),
    Bad("empty", "does not exist; there are", profile=""),
    Bad("upper case", "does not exist", profile="TLS_SERVER"),
    Bad(
        "own of a built-in name",
        "certificate profile tls_server is built in; give your own another name",
        {"certificate_profiles": {"tls_server": {"extends": "tls_client"}}, **GOOD},
    ),
]


@each([*DEFINITIONS, *UNKNOWN])
def test_bad_profiles_are_refused_with_a_sentence(desk: Office, bad: Bad) -> None:
    assert refused(desk, bad)


@pytest.mark.parametrize(
    "key_spec", [spec for spec in SIGNING_SPECS if spec not in PROFILES["iam_roles_anywhere"].key_specs]
)
def test_keys_that_a_profile_does_not_take_are_refused(desk: Office, key_spec: str) -> None:
    options = {"public_key_content": public_pem(somebodys_key(key_spec))}
    says = f"the subject key is {key_spec}, and certificate_profile iam_roles_anywhere allows RSA_2048"
    assert refused(desk, Bad("key", says, options, profile="iam_roles_anywhere"))


def test_profiles_know_every_key_spec_that_can_sign() -> None:
    signing = [spec for spec, row in algorithms.KEY_SPECS.items() if row.signing_algorithms]
    assert sorted(KEY_SPECS) == sorted(signing)
