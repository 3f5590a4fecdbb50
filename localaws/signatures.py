# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signatures as AWS KMS makes and refuses them, ML-DSA among them."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import mldsa
from ministack.services import kms

from localaws.keys import Handler, Record, RefusedError, Reply, Request, algorithms, to_bytes, to_reply

ML_DSA: dict[str, Any] = {
    "ML_DSA_44": mldsa.MLDSA44PrivateKey,
    "ML_DSA_65": mldsa.MLDSA65PrivateKey,
    "ML_DSA_87": mldsa.MLDSA87PrivateKey,
}
SIGN, ENCRYPT, AGREE, MAC = "SIGN_VERIFY", "ENCRYPT_DECRYPT", "KEY_AGREEMENT", "GENERATE_VERIFY_MAC"
USAGES: dict[str, tuple[str, ...]] = {
    "SYMMETRIC_DEFAULT": (ENCRYPT,),
    **dict.fromkeys(("RSA_2048", "RSA_3072", "RSA_4096"), (SIGN, ENCRYPT)),
    **dict.fromkeys(("ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"), (SIGN, AGREE)),
    **dict.fromkeys(("ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519", *ML_DSA), (SIGN,)),
    **dict.fromkeys(("HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512"), (MAC,)),
}
USAGE_OF_OPERATION = {
    **dict.fromkeys(("Sign", "Verify"), SIGN),
    **dict.fromkeys(("Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"), ENCRYPT),
    **dict.fromkeys(("GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"), ENCRYPT),
    **dict.fromkeys(("GenerateMac", "VerifyMac"), MAC),
    "DeriveSharedSecret": AGREE,
}
MESSAGE_TYPES = {
    "ED25519_SHA_512": {"RAW"},
    "ED25519_PH_SHA_512": {"DIGEST"},
    "ML_DSA_SHAKE_256": {"RAW", "EXTERNAL_MU"},
}
DRY_RUN = "The request would have succeeded, but the DryRun option is set."


def check_spec(request: Request) -> None:
    """Refuse to create a key whose usage does not go with its spec."""
    if request.operation != "CreateKey":
        return
    data = request.data
    spec = data.get("KeySpec") or data.get("CustomerMasterKeySpec") or "SYMMETRIC_DEFAULT"
    usage = data.get("KeyUsage")
    if spec == "SM2":
        raise RefusedError("UnsupportedOperationException", "KeySpec SM2 is not supported in this Region")
    if usage is None and spec != "SYMMETRIC_DEFAULT":
        reason = "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
        raise RefusedError("ValidationException", reason)
    if (usage or ENCRYPT) not in USAGES[spec]:
        raise RefusedError("ValidationException", f"KeyUsage {usage} is not compatible with KeySpec {spec}")


def check_usage(request: Request) -> None:
    """Refuse to use a key for what it was not made for."""
    wanted = USAGE_OF_OPERATION.get(request.operation)
    key = request.key
    if wanted and key and key["KeyUsage"] != wanted:
        found = f"{key['Arn']} key usage is {key['KeyUsage']}"
        raise RefusedError("InvalidKeyUsageException", f"{found} which is not valid for {request.operation}.")


def check_message(request: Request) -> None:
    """Refuse an algorithm that is not the key's, or a message that is not the algorithm's."""
    key = request.key
    if request.operation not in ("Sign", "Verify") or key is None:
        return
    algorithm, kind = request.data["SigningAlgorithm"], request.data.get("MessageType", "RAW")
    if algorithm not in key["SigningAlgorithms"]:
        found = f"Algorithm {algorithm} is incompatible with key spec {key['KeySpec']}."
        raise RefusedError("InvalidKeyUsageException", found)
    if kind not in MESSAGE_TYPES.get(algorithm, {"RAW", "DIGEST"}):
        owner = f"key spec {key['KeySpec']}" if key["KeySpec"] in ML_DSA else f"algorithm {algorithm}"
        raise RefusedError("ValidationException", f"Message type {kind} is incompatible with {owner}.")
    length = len(to_bytes(request.data["Message"]))
    if kind == "EXTERNAL_MU" and length != 64:
        raise RefusedError("ValidationException", f"External Mu is invalid length for algorithm {algorithm}.")
    if kind == "DIGEST" and length != int(algorithm[-3:]) // 8:
        raise RefusedError("ValidationException", f"Digest is invalid length for algorithm {algorithm}.")


def check_dry_run(request: Request) -> None:
    """Refuse, last of all, what was only to be tried."""
    if request.operation in USAGE_OF_OPERATION and request.data.get("DryRun"):
        raise RefusedError("DryRunOperationException", DRY_RUN)


def create_key(request: Request) -> Reply:
    """Create a key, also of the specs that ministack has not."""
    spec = request.data.get("KeySpec")
    if spec not in ML_DSA:
        reply: Reply = kms._create_key(request.data)
        return reply
    made = json.loads(kms._create_key({**request.data, "KeySpec": "ECC_NIST_EDWARDS25519"})[2])
    key: Record = kms._keys[made["KeyMetadata"]["KeyId"]]
    key.update(KeySpec=spec, SigningAlgorithms=["ML_DSA_SHAKE_256"])
    if key["Origin"] == "AWS_KMS":
        kms._set_asymmetric_material(key, ML_DSA[spec].generate())
    return to_reply({"KeyMetadata": kms._key_metadata(key)})


def get_public_key(request: Request) -> Reply:
    """Tell the public key of an asymmetric key, whether enabled or not."""
    key = request.known_key
    if "_public_key_der" not in key:
        raise RefusedError("UnsupportedOperationException")
    encoded = base64.b64encode(key["_public_key_der"]).decode()
    told = dict.fromkeys(("CustomerMasterKeySpec", "KeySpec"), key["KeySpec"])
    return to_reply({"KeyId": key["Arn"], "PublicKey": encoded, **told, "KeyUsage": key["KeyUsage"], **algorithms(key)})


def sign(request: Request) -> Reply:
    """Sign; what is not ML-DSA, ministack signs."""
    key, data = request.known_key, request.data
    if key["KeySpec"] not in ML_DSA:
        reply: Reply = kms._sign(data)
        return reply
    message, is_mu = to_bytes(data["Message"]), data.get("MessageType") == "EXTERNAL_MU"
    signature = key["_private_key"].sign_mu(message) if is_mu else key["_private_key"].sign(message)
    encoded = base64.b64encode(signature).decode()
    return to_reply({"KeyId": key["Arn"], "Signature": encoded, "SigningAlgorithm": data["SigningAlgorithm"]})


def verify(request: Request) -> Reply:
    """Verify; a signature that does not hold is an error."""
    key, data = request.known_key, request.data
    if key["KeySpec"] not in ML_DSA:
        reply: Reply = kms._verify(data)
        return reply
    message, signature = to_bytes(data["Message"]), to_bytes(data["Signature"])
    public_key = key["_private_key"].public_key()
    check = public_key.verify_mu if data.get("MessageType") == "EXTERNAL_MU" else public_key.verify
    try:
        check(signature, message)
    except InvalidSignature:
        raise RefusedError("KMSInvalidSignatureException") from None
    return to_reply({"KeyId": key["Arn"], "SignatureValid": True, "SigningAlgorithm": data["SigningAlgorithm"]})


HANDLERS: dict[str, Handler] = {
    "CreateKey": create_key,
    "GetPublicKey": get_public_key,
    "Sign": sign,
    "Verify": verify,
}


def install() -> None:
    """Give ministack's own dry runs AWS's words."""
    kms._dry_run_error = lambda _operation: RefusedError("DryRunOperationException", DRY_RUN).reply()
