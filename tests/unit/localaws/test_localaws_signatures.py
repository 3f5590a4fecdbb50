# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys and signatures as AWS KMS makes and refuses them; each signature is judged offline."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import load_der_public_key

from localaws.testing import SIGNING_ALGORITHMS, new_key, refused

SIGNABLE = [(spec, algorithm) for spec, algorithms in SIGNING_ALGORITHMS.items() for algorithm in algorithms]
SIGNABLE.remove(("ECC_NIST_EDWARDS25519", "ED25519_PH_SHA_512"))
Keys = Callable[[str], str]
MESSAGE = b"to be signed" * 100
ML_DSA_SIZES = {"ML_DSA_44": (1334, 2420), "ML_DSA_65": (1974, 3309), "ML_DSA_87": (2614, 4627)}


def hash_of(algorithm: str) -> Any:
    return {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}[algorithm[-3:]]()


def digest(algorithm: str, message: bytes = MESSAGE) -> bytes:
    return hashlib.new(f"sha{algorithm[-3:]}", message).digest()


def mu_of(der: bytes, message: bytes) -> bytes:
    hasher = mldsa.MLDSAMuHasher(load_der_public_key(der))  # type: ignore[arg-type]
    hasher.update(message)
    return hasher.finalize()


def verify_offline(der: bytes, algorithm: str, signature: bytes, message: bytes = MESSAGE) -> None:
    key = load_der_public_key(der)
    if isinstance(key, rsa.RSAPublicKey):
        chosen = hash_of(algorithm)
        pss = padding.PSS(padding.MGF1(chosen), salt_length=chosen.digest_size)
        key.verify(signature, message, pss if "PSS" in algorithm else padding.PKCS1v15(), chosen)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, message, ec.ECDSA(hash_of(algorithm)))
    else:
        key.verify(signature, message)  # type: ignore[union-attr, call-arg]


@pytest.mark.parametrize(("spec", "algorithm"), SIGNABLE)
def test_a_signature_over_a_raw_message_holds_offline(kms: Any, shared_key: Keys, spec: str, algorithm: str) -> None:
    key = shared_key(spec)
    answer = kms.sign(KeyId=key, Message=MESSAGE, SigningAlgorithm=algorithm)
    assert (answer["KeyId"], answer["SigningAlgorithm"]) == (key, algorithm)
    der = kms.get_public_key(KeyId=key)["PublicKey"]
    verify_offline(der, algorithm, answer["Signature"])
    with pytest.raises(InvalidSignature):
        verify_offline(der, algorithm, answer["Signature"], b"something else")


@pytest.mark.parametrize(("spec", "algorithm"), [pair for pair in SIGNABLE if pair[1].startswith(("RSA", "ECDSA"))])
def test_a_digest_is_signed_as_it_is(kms: Any, shared_key: Keys, spec: str, algorithm: str) -> None:
    key = shared_key(spec)
    said = {"KeyId": key, "Message": digest(algorithm), "MessageType": "DIGEST", "SigningAlgorithm": algorithm}
    verify_offline(kms.get_public_key(KeyId=key)["PublicKey"], algorithm, kms.sign(**said)["Signature"])


@pytest.mark.parametrize("spec", ML_DSA_SIZES)
def test_ml_dsa_signs_raw_and_external_mu_alike_at_the_sizes_of_fips_204(kms: Any, shared_key: Keys, spec: str) -> None:
    key, said = shared_key(spec), {"SigningAlgorithm": "ML_DSA_SHAKE_256"}
    der = kms.get_public_key(KeyId=key)["PublicKey"]
    large = bytes(100_000)
    raw = kms.sign(KeyId=key, Message=MESSAGE, **said)["Signature"]
    mu = kms.sign(KeyId=key, Message=mu_of(der, large), MessageType="EXTERNAL_MU", **said)["Signature"]
    assert (len(der), len(raw), len(mu)) == (ML_DSA_SIZES[spec][0], *[ML_DSA_SIZES[spec][1]] * 2)
    verify_offline(der, "ML_DSA_SHAKE_256", raw)
    verify_offline(der, "ML_DSA_SHAKE_256", mu, large)


@pytest.mark.parametrize(
    ("spec", "algorithm", "options"),
    [
        ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256", []),
        ("RSA_3072", "RSASSA_PKCS1_V1_5_SHA_512", []),
        ("RSA_2048", "RSASSA_PSS_SHA_384", ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:48"]),
        ("ECC_NIST_P256", "ECDSA_SHA_256", []),
        ("ECC_NIST_P521", "ECDSA_SHA_512", []),
        ("ECC_SECG_P256K1", "ECDSA_SHA_256", []),
    ],
)
def test_openssl_accepts_the_signature(
    kms: Any, shared_key: Keys, tmp_path: Path, spec: str, algorithm: str, options: list[str]
) -> None:
    key = shared_key(spec)
    said = {"KeyId": key, "Message": digest(algorithm), "MessageType": "DIGEST", "SigningAlgorithm": algorithm}
    (tmp_path / "signature").write_bytes(kms.sign(**said)["Signature"])
    (tmp_path / "key.der").write_bytes(kms.get_public_key(KeyId=key)["PublicKey"])
    (tmp_path / "message").write_bytes(MESSAGE)
    command = ["openssl", "dgst", f"-sha{algorithm[-3:]}", "-verify", "key.der", "-keyform", "DER", *options]
    command += ["-signature", "signature", "message"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "Verified OK\n")


def test_openssl_accepts_the_ed25519_signature(kms: Any, shared_key: Keys, tmp_path: Path) -> None:
    key = shared_key("ECC_NIST_EDWARDS25519")
    signature = kms.sign(KeyId=key, Message=MESSAGE, SigningAlgorithm="ED25519_SHA_512")["Signature"]
    assert len(signature) == 64
    (tmp_path / "signature").write_bytes(signature)
    (tmp_path / "key.der").write_bytes(kms.get_public_key(KeyId=key)["PublicKey"])
    (tmp_path / "message").write_bytes(MESSAGE)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.der", "-keyform", "DER", "-rawin"]
    command += ["-in", "message", "-sigfile", "signature"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0


def test_pkcs1_and_ed25519_are_deterministic_and_ecdsa_is_der_and_random(kms: Any, shared_key: Keys) -> None:
    def twice(spec: str, algorithm: str) -> list[bytes]:
        key = shared_key(spec)
        return [kms.sign(KeyId=key, Message=b"x", SigningAlgorithm=algorithm)["Signature"] for _unused in range(2)]

    for spec, algorithm in (("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256"), ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512")):
        first, second = twice(spec, algorithm)
        assert first == second
    first, second = twice("ECC_NIST_P256", "ECDSA_SHA_256")
    assert first != second
    assert utils.decode_dss_signature(first)
    first, second = twice("RSA_2048", "RSASSA_PSS_SHA_256")
    assert first != second


@pytest.mark.parametrize(
    ("spec", "algorithm", "message_type", "said"),
    [
        ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256", "EXTERNAL_MU", None),
        ("ECC_NIST_P256", "ECDSA_SHA_256", "EXTERNAL_MU", None),
        ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512", "DIGEST", "algorithm ED25519_SHA_512."),
        ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512", "EXTERNAL_MU", None),
        ("ECC_NIST_EDWARDS25519", "ED25519_PH_SHA_512", "RAW", "algorithm ED25519_PH_SHA_512."),
        ("ECC_NIST_EDWARDS25519", "ED25519_PH_SHA_512", "EXTERNAL_MU", None),
        ("ML_DSA_44", "ML_DSA_SHAKE_256", "DIGEST", "key spec ML_DSA_44."),
        ("ML_DSA_87", "ML_DSA_SHAKE_256", "DIGEST", "key spec ML_DSA_87."),
    ],
)
def test_a_message_type_that_does_not_fit_is_refused(
    kms: Any, shared_key: Keys, spec: str, algorithm: str, message_type: str, said: str | None
) -> None:
    key = shared_key(spec)
    arguments = {"KeyId": key, "Message": bytes(64), "MessageType": message_type, "SigningAlgorithm": algorithm}
    for call, more in ((kms.sign, {}), (kms.verify, {"Signature": b"x"})):
        code, message, _unused = refused(call, **arguments, **more)
        assert code == "ValidationException"
        assert said is None or message == f"Message type {message_type} is incompatible with {said}"


@pytest.mark.parametrize(("spec", "algorithm"), [pair for pair in SIGNABLE if pair[1].startswith(("RSA", "ECDSA"))])
def test_a_digest_of_the_wrong_length_is_refused(kms: Any, shared_key: Keys, spec: str, algorithm: str) -> None:
    key, right = shared_key(spec), int(algorithm[-3:]) // 8
    for length in (right - 1, right + 1, 20):
        arguments = {"KeyId": key, "Message": bytes(length), "MessageType": "DIGEST", "SigningAlgorithm": algorithm}
        said = f"Digest is invalid length for algorithm {algorithm}."
        assert refused(kms.sign, **arguments) == ("ValidationException", said, 400)


def test_an_external_mu_has_64_bytes(kms: Any, shared_key: Keys) -> None:
    key = shared_key("ML_DSA_65")
    said = {"MessageType": "EXTERNAL_MU", "SigningAlgorithm": "ML_DSA_SHAKE_256"}
    for length in (63, 65):
        code, message, _unused = refused(kms.sign, KeyId=key, Message=bytes(length), **said)
        assert (code, message) == (
            "ValidationException",
            "External Mu is invalid length for algorithm ML_DSA_SHAKE_256.",
        )


@pytest.mark.parametrize(("spec", "algorithms"), list(SIGNING_ALGORITHMS.items()))
def test_an_algorithm_of_another_spec_is_refused(kms: Any, shared_key: Keys, spec: str, algorithms: list[str]) -> None:
    key = shared_key(spec)
    for algorithm in ({name for names in SIGNING_ALGORITHMS.values() for name in names} | {"SM2DSA"}) - set(algorithms):
        said = f"Algorithm {algorithm} is incompatible with key spec {spec}."
        for call, more in ((kms.sign, {}), (kms.verify, {"Signature": b"x"})):
            found = refused(call, KeyId=key, Message=b"x", SigningAlgorithm=algorithm, **more)
            assert found == ("InvalidKeyUsageException", said, 400)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"},
        {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
        {"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"},
    ],
)
def test_a_key_of_another_usage_does_not_sign(kms: Any, arguments: dict[str, str]) -> None:
    key = kms.create_key(**arguments)["KeyMetadata"]
    usage = f"{key['Arn']} key usage is {key['KeyUsage']} which is not valid for"
    said = {"KeyId": key["KeyId"], "Message": b"x", "SigningAlgorithm": "RSASSA_PSS_SHA_256"}
    assert refused(kms.sign, **said) == ("InvalidKeyUsageException", f"{usage} Sign.", 400)
    assert refused(kms.verify, Signature=b"x", **said) == ("InvalidKeyUsageException", f"{usage} Verify.", 400)


def test_a_signing_key_does_not_encrypt(kms: Any, shared_key: Keys) -> None:
    key = shared_key("RSA_2048")
    said = f"{key} key usage is SIGN_VERIFY which is not valid for Encrypt."
    found = refused(kms.encrypt, KeyId=key, Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    assert found == ("InvalidKeyUsageException", said, 400)


def test_a_message_has_at_most_4096_bytes(kms: Any, shared_key: Keys) -> None:
    said = "1 validation error detected: Value at 'message' failed to satisfy constraint: "
    said += "Member must have length less than or equal to 4096"
    for spec in ("RSA_2048", "ML_DSA_44", "ECC_NIST_EDWARDS25519"):
        key, algorithm = shared_key(spec), SIGNING_ALGORITHMS[spec][0]
        found = refused(kms.sign, KeyId=key, Message=bytes(4097), SigningAlgorithm=algorithm)
        assert found == ("ValidationException", said, 400)
        signature = kms.sign(KeyId=key, Message=bytes(4096), SigningAlgorithm=algorithm)["Signature"]
        verify_offline(kms.get_public_key(KeyId=key)["PublicKey"], algorithm, signature, bytes(4096))


def test_checks_come_in_the_order_of_aws(kms: Any) -> None:
    """Model, key, usage, state, algorithm, message type, length, dry run: each hides those behind it."""
    symmetric, key = kms.create_key()["KeyMetadata"]["Arn"], new_key(kms, "ECC_NIST_P256")
    wrong: dict[str, Any] = {"Message": b"x", "MessageType": "EXTERNAL_MU", "DryRun": True}
    kms.disable_key(KeyId=symmetric)
    kms.disable_key(KeyId=key)
    absent = "00000000-0000-4000-8000-000000000000"
    assert refused(kms.sign, KeyId=absent, SigningAlgorithm="NONE", **wrong)[0] == "ValidationException"
    assert refused(kms.sign, KeyId=absent, SigningAlgorithm="ECDSA_SHA_384", **wrong)[0] == "NotFoundException"
    assert (
        refused(kms.sign, KeyId=symmetric, SigningAlgorithm="ECDSA_SHA_384", **wrong)[0] == "InvalidKeyUsageException"
    )
    assert refused(kms.sign, KeyId=key, SigningAlgorithm="ECDSA_SHA_384", **wrong)[0] == "DisabledException"
    kms.enable_key(KeyId=key)
    assert refused(kms.sign, KeyId=key, SigningAlgorithm="ECDSA_SHA_384", **wrong)[0] == "InvalidKeyUsageException"
    said = refused(kms.sign, KeyId=key, SigningAlgorithm="ECDSA_SHA_256", **wrong)
    assert said[1].startswith("Message type EXTERNAL_MU")
    wrong["MessageType"] = "DIGEST"
    assert refused(kms.sign, KeyId=key, SigningAlgorithm="ECDSA_SHA_256", **wrong)[1].startswith("Digest is invalid")
    wrong["Message"] = bytes(32)
    assert refused(kms.sign, KeyId=key, SigningAlgorithm="ECDSA_SHA_256", **wrong)[0] == "DryRunOperationException"


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519", "ML_DSA_44"])
def test_a_dry_run_never_signs(kms: Any, shared_key: Keys, spec: str) -> None:
    key = shared_key(spec)
    said = "The request would have succeeded, but the DryRun option is set."
    arguments = {"KeyId": key, "Message": b"x", "SigningAlgorithm": SIGNING_ALGORITHMS[spec][0], "DryRun": True}
    assert refused(kms.sign, **arguments) == ("DryRunOperationException", said, 400)
    assert refused(kms.verify, Signature=b"x", **arguments) == ("DryRunOperationException", said, 400)


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519", "ML_DSA_65"])
def test_verify_says_yes_or_refuses_without_words(kms: Any, shared_key: Keys, spec: str) -> None:
    key, said = shared_key(spec), {"SigningAlgorithm": SIGNING_ALGORITHMS[spec][0]}
    signature = kms.sign(KeyId=key, Message=b"x", **said)["Signature"]
    answer = kms.verify(KeyId=key, Message=b"x", Signature=signature, **said)
    assert (answer["SignatureValid"], answer["KeyId"]) == (True, key)
    found = refused(kms.verify, KeyId=key, Message=b"y", Signature=signature, **said)
    assert found == ("KMSInvalidSignatureException", "", 400)


def test_verify_takes_external_mu(kms: Any, shared_key: Keys) -> None:
    key, said = shared_key("ML_DSA_87"), {"SigningAlgorithm": "ML_DSA_SHAKE_256"}
    mu = mu_of(kms.get_public_key(KeyId=key)["PublicKey"], MESSAGE)
    signature = kms.sign(KeyId=key, Message=MESSAGE, **said)["Signature"]
    assert kms.verify(KeyId=key, Message=mu, MessageType="EXTERNAL_MU", Signature=signature, **said)["SignatureValid"]
