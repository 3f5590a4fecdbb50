# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where botocore's errors become sentences: who may not do what on which key, and the way out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from .._pki.errors import AwsError, DisabledKeyError, KeyStateError, PkiError

try:
    from botocore import xform_name
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError
except ImportError:
    pass  # AnsibleAWSModule says so

KEY_STATE_SENTENCES = {
    "NotFoundException": "{about} does not exist ({text}): create it, or check its name, the account and the region",
    "DisabledException": "{about} is disabled, and {action} needs an enabled key: enable it or use another key",
    "KMSInvalidStateException": "{about} is in a state that does not allow {action}: {text}",
    "InvalidKeyUsageException": "{about} cannot be used for {action}: {text}",
}
CREDENTIALS = "{action}: {what}. Set access_key and secret_key, profile, the AWS_* environment variables or a role"
AWS_SENTENCES = {
    "UnrecognizedClientException": CREDENTIALS.format(action="{action}", what="AWS does not know these credentials"),
    "InvalidClientTokenId": CREDENTIALS.format(action="{action}", what="AWS does not know these credentials"),
    "InvalidSignatureException": CREDENTIALS.format(action="{action}", what="the secret key or the clock is wrong"),
    "SignatureDoesNotMatch": CREDENTIALS.format(action="{action}", what="the secret key or the clock is wrong"),
    "ExpiredTokenException": "{action}: the credentials have expired; log in or assume the role again",
    "ExpiredToken": "{action}: the credentials have expired; log in or assume the role again",
    "RequestExpired": "{action}: AWS calls the request expired; set the clock, or log in again",
    "ThrottlingException": "{action} on {about}: AWS asks for fewer calls ({text})",
    "InvalidPrincipals": "AWS refuses {action} on {about}: the key policy names a principal that does not exist, or "
    "not yet everywhere; check the ARNs, or run again in a minute ({text})",
    "PolicyLockout": "AWS refuses {action} on {about}: with this key policy the caller could not change it any more; "
    "put the caller's role among those who may kms:PutKeyPolicy, or set bypass_policy_lockout_safety_check ({text})",
    "NoCredentialsError": CREDENTIALS.format(action="{action}", what="no AWS credentials were found"),
    "PartialCredentialsError": CREDENTIALS.format(action="{action}", what="the AWS credentials are incomplete"),
    "CredentialRetrievalError": "{action}: the AWS credentials could not be fetched ({text}); log in again",
    "LoginError": "{action}: the AWS login is no longer valid ({text}); log in again",
    "SSOError": "{action}: the AWS login is no longer valid ({text}); log in again",
    "TokenRetrievalError": "{action}: the AWS login is no longer valid ({text}); log in again",
    "NoRegionError": "{action}: no region is set; set region or AWS_REGION",
    "ConnectionError": "{action}: AWS cannot be reached ({text}); check endpoint_url, region and the network",
    "HTTPClientError": "{action} on {about}: the connection broke before the answer came ({text}); "
    "whether AWS did the work is not known",
    "IncompleteReadError": "{action} on {about}: the answer broke off ({text}); whether AWS did the work is not known",
}
STRANGE = (
    "{endpoint} did not answer {action} on {about} as AWS does ({what}); check endpoint_url and the proxy. "
    "All services are asked at endpoint_url: one of AWS KMS alone belongs in AWS_ENDPOINT_URL_KMS"
)
FINER = {
    ("MalformedPolicyDocumentException", "invalid principal"): "InvalidPrincipals",
    ("MalformedPolicyDocumentException", "update the key policy in the future"): "PolicyLockout",
}
"""Code and part of the text, to the code that we give it."""

RETRYABLE = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "KMSInternalException",
        "DependencyTimeoutException",
        "KeyUnavailableException",
        "InternalFailure",
        "InternalError",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "RequestTimeout",
        "HTTPClientError",
        "IncompleteReadError",
    }
)
DENIED = frozenset({"AccessDeniedException", "AccessDenied", "NotAuthorizedException", "UnauthorizedOperation"})
WITHOUT_KEY = frozenset({"kms:CreateKey", "kms:ListAliases", "kms:ListKeys"})
"""Actions on no key in particular, of which no key policy speaks."""

IAM_PREFIXES = {"tagging": "tag"}
DENIED_TEXT = re.compile(
    r"(?:User: (?P<who>\S+) is )?not authorized to perform: (?P<action>[\w-]+:\w+)"
    r"(?: on (?:resource: (?P<resource>\S+)|this resource))?(?: (?:because )?(?P<reason>.+?))?\.?$",
    re.DOTALL,
)


class Answer(dict[str, Any]):
    """An answer, of which AWS would have sent every member that somebody looks up."""

    def __init__(self, members: dict[str, Any], client: Any, operation: str, about: str) -> None:
        super().__init__(members)
        self._asked = (client, operation, about)

    def __missing__(self, member: str) -> NoReturn:
        raise _strange(f"it holds no {member}", *self._asked)


def ask(client: Any, operation: str, about: str = "", **params: Any) -> dict[str, Any]:
    """Call *operation* (its name in the API) and return the answer.

    Args:
        about: the key, alias or principal the call is about, as the user named it.
    Raises:
        AwsError: AWS refused or did not answer.
        KeyStateError: the key does not exist or is not in a state for this.
    """
    call = getattr(client, xform_name(operation), None)
    if call is None:
        raise AwsError(
            f"this boto3 does not know {action_of(client, operation)}; install a newer one",
            operation=operation,
            code="UnknownOperation",
        )
    with _told(client, operation, about):
        return Answer(call(**params), client, operation, about)


def ask_pages(client: Any, operation: str, about: str = "", **params: Any) -> Iterator[dict[str, Any]]:
    """Call *operation* page by page; otherwise as ask()."""
    paginator = client.get_paginator(xform_name(operation))
    with _told(client, operation, about):
        for page in paginator.paginate(**params):
            yield Answer(page, client, operation, about)


@contextmanager
def _told(client: Any, operation: str, about: str) -> Iterator[None]:
    """Turn what botocore raises into an error of ours; what it cannot read makes it raise other things too."""
    try:
        yield
    except (ClientError, BotoCoreError) as exc:
        strange = _strangeness(exc)
        if strange:
            raise _strange(strange, client, operation, about, unsure=False) from exc
        raise to_pki_error(exc, action_of(client, operation), about) from exc
    except (ResponseParserError, KeyError) as exc:
        raise _strange("it cannot be read", client, operation, about) from exc


def _strangeness(exc: ClientError | BotoCoreError) -> str:
    """Say why a refusal is not one that this service of AWS would send; empty where it is."""
    response = getattr(exc, "response", None)
    if not isinstance(response, dict):
        return ""
    code = str((response.get("Error") or {}).get("Code", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code == "UnknownOperationException":
        return code
    nameless = not code or code.isdigit()  # botocore puts the status where no code was sent
    return f"HTTP status {status} without a code of AWS" if nameless and status < 500 else ""


def _strange(what: str, client: Any, operation: str, about: str, unsure: bool = True) -> AwsError:
    action = action_of(client, operation)
    sentence = STRANGE.format(endpoint=client.meta.endpoint_url, action=action, about=about or "the request", what=what)
    return AwsError(sentence, operation=operation, code="ResponseParserError", unsure=unsure)


def action_of(client: Any, operation: str) -> str:
    """Return the IAM action of *operation*, such as kms:Sign."""
    service = str(client.meta.service_model.signing_name)
    return f"{IAM_PREFIXES.get(service, service)}:{operation}"


def to_pki_error(exc: ClientError | BotoCoreError, action: str, about: str = "") -> PkiError:
    """Return the error of ours that says what *exc* means to somebody who asked for *action* on *about*."""
    response = getattr(exc, "response", None)
    if not isinstance(response, dict):
        return _unanswered(exc, action, about)
    error = response.get("Error") or {}
    text = str(error.get("Message") or error.get("message") or "").strip().rstrip(".")
    code = _finer(str(error.get("Code", "")), text)
    words = {"action": action, "about": about or "the request", "text": text or f"({code})"}
    if code in KEY_STATE_SENTENCES:
        kind = DisabledKeyError if code == "DisabledException" else KeyStateError
        return kind(KEY_STATE_SENTENCES[code].format(**words))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    sentence = _denied(text, action, about) if code in DENIED else _refused(code, words)
    return AwsError(
        sentence, operation=action.partition(":")[2], code=code, retryable=code in RETRYABLE or status >= 500
    )


def code_of(error: PkiError) -> str:
    """Return AWS's code for the refusal behind *error*, or an empty string where AWS did not answer."""
    if isinstance(error, AwsError) and error.code in FINER.values():
        return error.code
    response = getattr(error.__cause__, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _finer(code: str, text: str) -> str:
    """Return a code of our own where AWS has one code for things that ask for different ways out."""
    found = (finer for (coarse, part), finer in FINER.items() if coarse == code and part in text)
    return next(found, code)


def _refused(code: str, words: dict[str, str]) -> str:
    template = AWS_SENTENCES.get(code, "AWS refuses {action} on {about}: {text} [" + code + "]")
    return template.format(**words)


def _denied(text: str, action: str, about: str) -> str:
    """Name the caller, the action and the key; AWS's own reason where it gives one."""
    found = DENIED_TEXT.search(text)
    who = (found and found["who"]) or "the caller"
    what = (found and found["action"]) or action
    resource = (found and found["resource"]) or ""
    target = " ".join(filter(None, [about, f"({resource})" if about and resource not in ("", "*", about) else ""]))
    reason = ((found["reason"] or "no policy allows it") if found else text) or "access denied"
    return (
        f"{who} may not {what} on {target or resource or 'the request'}: {reason}. {_way_out(what, reason, resource)}"
    )


def _way_out(action: str, reason: str, resource: str) -> str:
    """Say where a denied action can be allowed."""
    if "explicit deny" in reason:
        return "A Deny wins over whatever allows it: take it out of that policy, or use another role"
    if action == "sts:AssumeRole":
        return (
            "Allow it in the trust policy of the role and in the caller's IAM policies, and check external_id; "
            "if the role was just made, try again in half a minute"
        )
    if ":alias/" in resource:
        return "Allow it in the caller's IAM policies, which alone speak of aliases; the key has to allow it too"
    if action.startswith("kms:") and action not in WITHOUT_KEY:
        return "Allow it in the key policy, or in IAM where the key policy leaves it to IAM"
    return "Allow it in the caller's IAM policies"


def _unanswered(exc: BaseException, action: str, about: str) -> AwsError:
    """Say why no answer came; the sentence of the nearest class of botocore that has one."""
    lineage = [kind.__name__ for kind in type(exc).__mro__]
    known = next((name for name in lineage if name in AWS_SENTENCES), "")
    template = AWS_SENTENCES.get(known, "{action} on {about} failed: {text}")
    return AwsError(
        template.format(action=action, about=about or "the request", text=str(exc).strip().rstrip(".")),
        operation=action.partition(":")[2],
        code=lineage[0],
        retryable=known in RETRYABLE,
    )
