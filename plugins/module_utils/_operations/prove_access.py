# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Proving who may do what with a key, by trying it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .._keys.access_probes import DENIED, UNSUPPORTED, UNTESTED, Expectation, Finding, Verdict, how_to_try
from .._keys.description import KeyDescription
from .._pki.errors import PkiError, SpecError
from .._signer.algorithms import KEY_SPECS, algorithm_for
from .._signer.samples import ENCRYPTION_ALGORITHM, TEXT, sample_ciphertext, sample_message, sample_signature
from .simulate_access import Simulator, simulated

SYMMETRIC, MAC, AGREEMENT = "SYMMETRIC_DEFAULT", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"
MAC_SIZE = 32
READING: dict[str, dict[str, Any]] = {
    "kms:GetKeyPolicy": {"PolicyName": "default"},
    "kms:ListGrants": {"Limit": 1},
    "kms:ListKeyPolicies": {"Limit": 1},
    "kms:ListKeyRotations": {"Limit": 1},
    "kms:ListResourceTags": {"Limit": 1},
}


NEVER_TRIED = (UNTESTED, UNSUPPORTED)


class Prober(Protocol):
    """One role that tries."""

    def attempt(self, how: str, action: str, key_arn: str, params: Mapping[str, Any]) -> Verdict:
        """Return what AWS said to *action*, tried by DRY_RUN or CALL."""


@dataclass(frozen=True)
class Trial:
    """One key, and the parameters of its operations, all of them such as AWS would carry out.

    Attributes:
        params: action to parameters, those aside that name the key and the role.
    """

    key: KeyDescription
    params: Mapping[str, Mapping[str, Any]]

    def how(self, action: str) -> str:
        return how_to_try(action, self.key.key_usage, self.key.key_spec)

    def params_of(self, action: str, role_arn: str) -> dict[str, Any]:
        own = {"GranteePrincipal": role_arn} if action == "kms:CreateGrant" else {}
        return {**self.params.get(action, {}), **own}


def prepare_trial(
    key: KeyDescription,
    signing_algorithm: str | None,
    message_type: str | None,
    public_key: Callable[[], bytes] | None,
) -> Trial:
    """Return what is needed to try everything on *key*.

    Args:
        signing_algorithm: None for that of certificates.
        message_type: None for what is sent after hashing locally.
        public_key: reads the key's SubjectPublicKeyInfo; None where no request is made with it.
    Raises:
        SpecError: the algorithm does not fit the key.
    """
    params: dict[str, Mapping[str, Any]] = {**READING, "kms:CreateGrant": {"Operations": ["DescribeKey"]}}
    if key.key_usage == "SIGN_VERIFY":
        params.update(_signing_params(key.key_spec, signing_algorithm, message_type))
    elif signing_algorithm or message_type:
        raise SpecError(f"{key.arn} has key_usage {key.key_usage}; leave out signing_algorithm and message_type")
    if key.key_usage == "ENCRYPT_DECRYPT":
        params.update(_encryption_params(key))
    if key.key_usage == MAC:
        params.update(_mac_params(key.key_spec))
    if public_key and key.key_spec != SYMMETRIC:
        params.update(_params_by_public_key(key, public_key))
    return Trial(key, params)


def prove_access(
    trial: Trial,
    expectations: Sequence[Expectation],
    assume: Callable[[Expectation], Prober],
    simulator: Simulator | None = None,
) -> list[Finding]:
    """Return what each role may do of what was declared of it, found by trying.

    Args:
        assume: becomes a role; what it raises is found of all of the role's actions.
        simulator: judges what is never tried; None leaves that untested.
    """
    tried = [finding for each in expectations for finding in _findings(trial, each, assume)]
    return simulated(trial.key, expectations, tried, simulator) if simulator else tried


def _findings(trial: Trial, each: Expectation, assume: Callable[[Expectation], Prober]) -> list[Finding]:
    actions = [(action, expected, trial.how(action)) for action, expected in each.actions()]
    known = {action: _untried(trial.key, action, how) for action, _expected, how in actions if how in NEVER_TRIED}
    try:
        prober = assume(each) if len(known) < len(actions) else None
    except PkiError as exc:
        unknown = Verdict(UNTESTED, str(exc))
        return [Finding(each.role_arn, action, expected, UNTESTED, unknown) for action, expected, _how in actions]
    return [
        Finding(each.role_arn, action, expected, how, known.get(action) or _try(trial, prober, action, each.role_arn))
        for action, expected, how in actions
    ]


def _untried(key: KeyDescription, action: str, how: str) -> Verdict:
    if how == UNTESTED:
        return Verdict(UNTESTED)
    kind = f"key_usage {key.key_usage} and key_spec {key.key_spec}"
    return Verdict(DENIED, f"a key of {kind} cannot {action}, whoever asks")


def _try(trial: Trial, prober: Prober | None, action: str, role_arn: str) -> Verdict:
    if prober is None:
        return Verdict(UNTESTED)
    return prober.attempt(trial.how(action), action, trial.key.arn, trial.params_of(action, role_arn))


def _signing_params(key_spec: str, signing_algorithm: str | None, message_type: str | None) -> dict[str, Any]:
    if key_spec not in KEY_SPECS:
        raise SpecError(f"keys of spec {key_spec} cannot be tried; those that can are {', '.join(KEY_SPECS)}")
    row = algorithm_for(key_spec, signing_algorithm or KEY_SPECS[key_spec].x509_default)
    kind = message_type or row.message_type
    sign = {"Message": sample_message(row, kind), "MessageType": kind, "SigningAlgorithm": row.name}
    return {"kms:Sign": sign, "kms:Verify": {**sign, "Signature": sample_signature(key_spec)}}


def _encryption_params(key: KeyDescription) -> dict[str, Any]:
    if key.key_spec != SYMMETRIC:
        return {"kms:Encrypt": {"Plaintext": TEXT, "EncryptionAlgorithm": ENCRYPTION_ALGORITHM}}
    data_key, pair = {"KeySpec": "AES_256"}, {"KeyPairSpec": "ECC_NIST_P256"}
    return {
        "kms:Encrypt": {"Plaintext": TEXT},
        "kms:GenerateDataKey": data_key,
        "kms:GenerateDataKeyWithoutPlaintext": data_key,
        "kms:GenerateDataKeyPair": pair,
        "kms:GenerateDataKeyPairWithoutPlaintext": pair,
    }


def _mac_params(key_spec: str) -> dict[str, Any]:
    mac = {"Message": TEXT, "MacAlgorithm": key_spec.replace("HMAC_", "HMAC_SHA_")}
    return {"kms:GenerateMac": mac, "kms:VerifyMac": {**mac, "Mac": bytes(MAC_SIZE)}}


def _params_by_public_key(key: KeyDescription, public_key: Callable[[], bytes]) -> dict[str, Any]:
    if key.key_usage == AGREEMENT:
        return {"kms:DeriveSharedSecret": {"KeyAgreementAlgorithm": "ECDH", "PublicKey": public_key()}}
    if key.key_usage != "ENCRYPT_DECRYPT":
        return {}
    ciphertext = sample_ciphertext(public_key(), key.arn)
    return {"kms:Decrypt": {"CiphertextBlob": ciphertext, "EncryptionAlgorithm": ENCRYPTION_ALGORITHM}}
