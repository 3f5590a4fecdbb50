# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Botocore's errors become sentences: who may not do what on which key, and the way out."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore import exceptions as botocore_errors
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from ansible_collections.rootstock.pki.plugins.module_utils._aws import kms
from ansible_collections.rootstock.pki.plugins.module_utils._aws.errors import ask, code_of, to_pki_error
from ansible_collections.rootstock.pki.plugins.module_utils._aws.sts import caller_arn
from ansible_collections.rootstock.pki.plugins.module_utils._aws.tagging import find_by_tag
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import AwsError, KeyStateError, PkiError
from localaws.server import Server
from localaws.testing import Account

SIGNER = "arn:aws:sts::111122223333:assumed-role/Signer/session"
ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

ALIAS_ARN = "arn:aws:kms:eu-central-1:111122223333:alias/pki/root"


def told(code: str, text: str = "", status: int = 400, about: str = "alias/pki/root") -> PkiError:
    """Return our error for AWS's answer *code*."""
    answer: Any = {"Error": {"Code": code, "Message": text}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return to_pki_error(botocore_errors.ClientError(answer, "Sign"), "kms:Sign", about)


DENIED = f"User: {SIGNER} is not authorized to perform: "
ELSEWHERE = (
    "because the resource does not exist in this Region, no resource-based policies allow access, or others deny it"
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            f"{DENIED}kms:Sign on resource: {ARN} because no identity-based policy allows the kms:Sign action",
            [SIGNER, "kms:Sign", "alias/pki/root", ARN, "no identity-based policy allows the kms:Sign action"],
        ),
        (f"{DENIED}kms:Sign on this resource {ELSEWHERE}", [SIGNER, "kms:Sign on alias/pki/root", "others deny it"]),
        (
            f"{DENIED}kms:CreateKey with an explicit deny in an identity-based policy",
            [SIGNER, "kms:CreateKey", "alias/pki/root", "explicit deny", "take it out of that policy"],
        ),
        (
            f"{DENIED}kms:CreateAlias on resource: {ALIAS_ARN} because no identity-based policy allows it",
            [SIGNER, f"kms:CreateAlias on alias/pki/root ({ALIAS_ARN})", "IAM policies, which alone speak of aliases"],
        ),
        ("You are not authorized to perform this operation.", ["the caller", "kms:Sign", "alias/pki/root"]),
        ("", ["the caller may not kms:Sign on alias/pki/root"]),
    ],
)
def test_a_denial_names_the_caller_the_action_the_key_and_the_way_out(text: str, words: list[str]) -> None:
    message = str(told("AccessDeniedException", text))
    assert [word for word in words if word not in message] == []
    assert ("Allow it in the key policy" in message) is ("explicit deny" not in text and ALIAS_ARN not in text)


@pytest.mark.parametrize(
    ("action", "way_out"),
    [
        ("sts:AssumeRole", "Allow it in the trust policy of the role and in the caller's IAM policies"),
        ("sts:AssumeRole", "if the role was just made, try again in half a minute"),
        ("iam:GetRole", "Allow it in the caller's IAM policies"),
        ("tag:GetResources", "Allow it in the caller's IAM policies"),
        ("kms:CreateKey", "Allow it in the caller's IAM policies"),
        ("kms:ListKeys", "Allow it in the caller's IAM policies"),
        ("kms:PutKeyPolicy", "Allow it in the key policy"),
    ],
)
def test_the_way_out_of_a_denial_is_where_that_action_is_allowed(action: str, way_out: str) -> None:
    message = str(told("AccessDenied", f"{DENIED}{action} on resource: {ARN}"))
    assert way_out in message
    assert ("key policy" in message) is (action == "kms:PutKeyPolicy")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("NotFoundException", ["alias/pki/root does not exist"]),
        ("DisabledException", ["alias/pki/root is disabled", "kms:Sign"]),
        ("KMSInvalidStateException", ["alias/pki/root", "does not allow kms:Sign", "is pending deletion"]),
        ("InvalidKeyUsageException", ["alias/pki/root cannot be used for kms:Sign"]),
    ],
)
def test_the_state_of_a_key_is_an_error_of_the_key(code: str, words: list[str]) -> None:
    error = told(code, f"{ARN} is pending deletion.")
    assert isinstance(error, KeyStateError)
    assert [word for word in words if word not in str(error)] == []


@pytest.mark.parametrize(
    ("code", "status", "retryable"),
    [
        ("ThrottlingException", 400, True),
        ("KMSInternalException", 500, True),
        ("DependencyTimeoutException", 503, True),
        ("KeyUnavailableException", 500, True),
        ("SomethingNew", 502, True),
        ("SomethingNew", 400, False),
        ("ValidationException", 400, False),
        ("AccessDeniedException", 400, False),
        ("ExpiredTokenException", 400, False),
        ("UnrecognizedClientException", 400, False),
    ],
)
def test_only_what_may_pass_by_itself_is_worth_asking_again(code: str, status: int, retryable: bool) -> None:
    error = told(code, "Because.", status)
    assert isinstance(error, AwsError)
    assert (error.operation, error.code, error.retryable) == ("Sign", code, retryable)


URL = "http://127.0.0.1:9/"


@pytest.mark.parametrize(
    ("error", "words", "retryable"),
    [
        (botocore_errors.NoCredentialsError(), ["no AWS credentials were found", "profile"], False),
        (
            botocore_errors.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
            ["incomplete"],
            False,
        ),
        (botocore_errors.CredentialRetrievalError(provider="sso", error_msg="gone"), ["could not be fetched"], False),
        (botocore_errors.UnauthorizedSSOTokenError(), ["log in again"], False),
        (botocore_errors.EndpointConnectionError(endpoint_url=URL), [URL, "check endpoint_url"], False),
        (botocore_errors.ConnectTimeoutError(endpoint_url=URL), [URL, "check endpoint_url"], False),
        (botocore_errors.ReadTimeoutError(endpoint_url=URL), ["whether AWS did the work is not known"], True),
        (botocore_errors.ConnectionClosedError(endpoint_url=URL), ["whether AWS did the work is not known"], True),
        (botocore_errors.IncompleteReadError(actual_bytes=1, expected_bytes=2), ["broke off"], True),
        (botocore_errors.ParamValidationError(report="Invalid length"), ["Invalid length", "alias/x"], False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_answer_is_told_with_its_cause(error: Any, words: list[str], retryable: bool) -> None:
    found = to_pki_error(error, "kms:Sign", "alias/x")
    assert isinstance(found, AwsError)
    assert [word for word in ["kms:Sign", *words] if word not in str(found)] == []
    assert found.retryable is retryable


def test_a_call_that_this_boto3_does_not_have_is_told() -> None:
    with pytest.raises(AwsError, match="does not know kms:SignEverything; install a newer one"):
        ask(offline_client(), "SignEverything")


def offline_client(service: str = "kms", **options: Any) -> Any:
    client: Any = boto3.client
    return client(service, region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="y", **options)


class Body(io.BytesIO):
    """The body of an answer, as urllib3 streams it."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


def answering(service: str, status: int, body: bytes) -> Any:
    """Return a client whose endpoint answers everything with *body*."""
    client = offline_client(service, endpoint_url="https://kms.example")
    answer = AWSResponse(client.meta.endpoint_url, status, {}, Body(body))
    client.meta.events.register("before-send", lambda **_request: answer)
    return client


PAGE, STRICT_PAGE, STRANGER = b"<!DOCTYPE html><br>Log in", b"<html/>", b'{"__type": "UnknownOperationException"}'


@pytest.mark.parametrize(
    ("service", "status", "body", "call", "words"),
    [
        ("kms", 200, PAGE, lambda kms_: kms.describe_key(kms_, "alias/x"), ["on alias/x", "it holds no KeyMetadata"]),
        ("kms", 200, PAGE, lambda kms_: kms.get_public_key(kms_, "alias/x"), ["it holds no PublicKey"]),
        ("kms", 200, PAGE, kms.list_keys, ["kms:ListKeys on the account", "it holds no Keys"]),
        ("kms", 404, PAGE, kms.list_keys, ["HTTP status 404 without a code of AWS"]),
        ("sts", 200, PAGE, caller_arn, ["sts:GetCallerIdentity on the request", "it cannot be read"]),
        ("sts", 200, STRICT_PAGE, caller_arn, ["sts:GetCallerIdentity", "it cannot be read"]),
        ("sts", 404, STRICT_PAGE, caller_arn, ["HTTP status 404 without a code of AWS"]),
        ("sts", 400, STRANGER, caller_arn, ["it cannot be read"]),
        (
            "resourcegroupstaggingapi",
            400,
            STRANGER,
            lambda tagging: find_by_tag(tagging, None, "x", None),
            ["tag:GetResources on keys tagged x", "UnknownOperationException"],
        ),
    ],
)
def test_an_endpoint_that_is_not_of_the_service_is_named(
    service: str, status: int, body: bytes, call: Callable[[Any], object], words: list[str]
) -> None:
    with pytest.raises(AwsError) as strange:
        call(answering(service, status, body))
    told = str(strange.value)
    assert [word for word in ("https://kms.example did not", "AWS_ENDPOINT_URL_KMS", *words) if word not in told] == []


@pytest.mark.parametrize(("status", "unsure"), [(200, True), (403, False)])
def test_who_answers_strangely_to_sign_is_not_asked_again_and_may_have_signed(status: int, unsure: bool) -> None:
    with pytest.raises(AwsError) as strange:
        kms.sign(answering("kms", status, PAGE), "alias/x", b"x" * 32, "DIGEST", "ECDSA_SHA_256")
    assert (strange.value.retryable, strange.value.unsure) == (False, unsure)


def test_a_missing_endpoint_is_told_in_one_sentence() -> None:
    client = offline_client(endpoint_url=URL, config=Config(retries={"total_max_attempts": 1}, proxies={}))
    with pytest.raises(AwsError, match="AWS cannot be reached") as down:
        kms.describe_key(client, "alias/x")
    assert code_of(down.value) == ""


def test_a_real_denial_names_role_action_and_key(account: Account) -> None:
    key = new_key(account)
    signer = account.role("signer", {"Action": "kms:DescribeKey"})
    with pytest.raises(AwsError) as denied:
        kms.sign(signer.client("kms"), key, b"x" * 32, "DIGEST", "ECDSA_SHA_256")
    assert denied.value.code == "AccessDeniedException"
    assert [word for word in ("signer", "kms:Sign", key) if word not in str(denied.value)] == []


def test_real_key_states_are_told_in_one_sentence(account: Account) -> None:
    key, client = new_key(account), account.root.client("kms")
    client.disable_key(KeyId=key)
    with pytest.raises(KeyStateError, match=f"{key} is disabled, and kms:Sign needs an enabled key"):
        kms.sign(client, key, b"x" * 32, "DIGEST", "ECDSA_SHA_256")
    client.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    with pytest.raises(KeyStateError, match="pending deletion"):
        kms.get_public_key(client, key)
    with pytest.raises(KeyStateError, match="alias/none does not exist"):
        kms.get_public_key(client, "alias/none")
    with pytest.raises(KeyStateError, match="cannot be used for kms:Sign"):
        kms.sign(client, new_key(account, "RSA_2048", "ENCRYPT_DECRYPT"), b"x" * 32, "DIGEST", "RSASSA_PSS_SHA_256")


def test_unknown_credentials_are_told(local_aws: Server, account: Account) -> None:
    stranger = account.root.__class__(
        local_aws.endpoint, {"access_key_id": "AKIAXXXXXXXXXXXXXXXX", "secret_access_key": "no"}, ""
    )
    with pytest.raises(AwsError, match="AWS does not know these credentials"):
        kms.describe_key(stranger.client("kms"), "alias/x")


def test_the_caller_is_named_by_sts(account: Account) -> None:
    assert caller_arn(account.role("somebody").client("sts")).startswith(
        f"arn:aws:sts::{account.account_id}:assumed-role/somebody/"
    )


def new_key(account: Account, key_spec: str = "ECC_NIST_P256", key_usage: str = "SIGN_VERIFY") -> str:
    """Make a key as root and return its ID."""
    made = account.root.client("kms").create_key(KeySpec=key_spec, KeyUsage=key_usage)
    return str(made["KeyMetadata"]["KeyId"])
