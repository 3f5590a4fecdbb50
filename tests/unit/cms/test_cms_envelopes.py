# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is around a message: mails of two parts and PEM. Nothing unsigned may stand beside what was signed."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._operations.cms_opening import CHUNK
from tests.unit.cms.cms_desk import CmsDesk
from tests.unit.cms.cms_judges import openssl_verifies

DELIMITER = b"--=_rootstock_signed"
CLOSING = DELIMITER + b"--"
FOREIGN = b"Content-Type: text/html\r\n\r\n<h1>Pay Mallory</h1>\r\n"
SIGNATURE = b"\r\nContent-Type: application/pkcs7-signature"
PREAMBLE = b"This is a signed message"
END = b"-----END CMS-----"
Change = Callable[[bytes], bytes]


@cache
def signed(form: str) -> bytes:
    with TemporaryDirectory() as folder:
        desk = CmsDesk(Path(folder))
        desk.sign(form=form)
        return desk.dest.read_bytes()


def verdicts(folder: Path, form: str, text: bytes) -> tuple[str, bool]:
    """Return our reason, and whether OpenSSL takes it."""
    desk = CmsDesk(folder)
    desk.dest.write_bytes(text)
    beside = form != "smime"
    return desk.verify(beside).reason, openssl_verifies(desk.dest, form, desk.content if beside else None)[0]


def swap(old: bytes, new: bytes) -> Change:
    return lambda mail: mail.replace(old, new)


def end_of_line(mail: bytes) -> bytes:
    return mail.replace(b"\r\n", b"\n")


def with_mixed_blank_line(mail: bytes) -> bytes:
    """The header ends with LF CRLF; in front of the first part is another one, whose header ends with LF LF."""
    header, _blank, body = mail.partition(b"\r\n\r\n")
    first = DELIMITER + b"\n" + end_of_line(FOREIGN) + DELIMITER
    return end_of_line(header) + b"\n\r\n" + first + body.partition(DELIMITER)[2]


MANY, FEW = "more than its two parts, and nobody signed the others", "without its two parts, as if it were cut off"
OPEN, DAMAGED = "without the end of its two parts, as if it were cut off", "a damaged line between its parts"
BOUNDARY = "does not tell one plain boundary of its parts"
REFUSED_MAILS: dict[str, tuple[Change, str]] = {
    "a third part": (swap(CLOSING, DELIMITER + b"\r\n" + FOREIGN + CLOSING), MANY),
    "a part before, behind a header that ends with LF CRLF": (with_mixed_blank_line, MANY),
    "a part before, in the preamble": (swap(PREAMBLE, b"\r\n" + DELIMITER + b"\r\n" + FOREIGN), MANY),
    "no end": (swap(CLOSING, DELIMITER), OPEN),
    "cut off before the last line": (lambda mail: mail.partition(CLOSING)[0], FEW),
    "cut off within the last line": (lambda mail: mail.rstrip()[:-1], DAMAGED),
    "an end before the signature": (swap(DELIMITER + SIGNATURE, CLOSING + SIGNATURE), FEW),
    "another word behind the boundary": (swap(CLOSING, DELIMITER + b"_more--"), DAMAGED),
    "no boundary": (lambda mail: mail.replace(b"boundary=", b"other=").replace(DELIMITER, b"--"), BOUNDARY),
    "another boundary first": (swap(b"boundary=", b'boundary="x"; boundary='), BOUNDARY),
}


@pytest.mark.parametrize("kind", list(REFUSED_MAILS))
def test_rfc1847_2_1_a_mail_with_other_than_its_two_parts_is_not_right(kind: str, tmp_path: Path) -> None:
    change, reason = REFUSED_MAILS[kind]
    text = change(signed("smime"))
    assert text != signed("smime")
    ours, openssl = verdicts(tmp_path, "smime", text)
    assert reason in ours
    assert not openssl


AMBIGUOUS: dict[str, tuple[Change, str]] = {
    "a part before, in lines that end with CR": (
        swap(PREAMBLE, b"\r" + DELIMITER + b"\r" + FOREIGN.replace(b"\r\n", b"\r") + PREAMBLE),
        DAMAGED,
    ),
    "a part behind the end": (lambda mail: mail + DELIMITER + b"\r\n" + FOREIGN + CLOSING, MANY),
    "another boundary behind": (swap(b'_signed"\r\n', b'_signed"; Boundary="x"\r\n'), BOUNDARY),
    "an empty boundary": (lambda mail: mail.replace(b"=_rootstock_signed", b""), BOUNDARY),
    "a boundary with a quoted pair": (swap(b'"=_rootstock', b'"=_root\\stock'), BOUNDARY),
    "another type": (
        lambda mail: mail.replace(b"\r\n\r\n", b"\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n", 1),
        "has Content-Type twice",
    ),
}


@pytest.mark.parametrize("kind", list(AMBIGUOUS))
def test_a_mail_that_programs_may_take_apart_in_two_ways_is_not_right(kind: str, tmp_path: Path) -> None:
    """OpenSSL takes most of them, and a mail program may show what nobody signed."""
    change, reason = AMBIGUOUS[kind]
    text = change(signed("smime"))
    assert text != signed("smime")
    assert reason in verdicts(tmp_path, "smime", text)[0]


RIGHT_MAILS: dict[str, Change] = {
    "as it was written": lambda mail: mail,
    "lines that end with LF": end_of_line,
    "another preamble": swap(PREAMBLE, b"--=\r\n--\r\nHello"),
    "no preamble": lambda mail: mail.replace(PREAMBLE + b" in the format of S/MIME.\r\n\r\n", b""),
    "an epilogue": lambda mail: mail + b"This came by a list.\r\n--\r\nUnsubscribe\r\n",
    "blanks behind the boundary": swap(DELIMITER + b"\r\n", DELIMITER + b" \t\r\n"),
    "no end of the last line": bytes.rstrip,
    "blanks behind the end": lambda mail: mail.rstrip() + b"  \r\n",
    "a boundary without quotes": swap(b'"=_rootstock_signed"', b"=_rootstock_signed"),
    "a boundary with blanks": swap(b"=_rootstock_signed", b"(signed part) no. 1"),
}


@pytest.mark.parametrize("kind", list(RIGHT_MAILS))
def test_rfc2046_5_1_1_a_mail_of_two_parts_may_be_written_in_many_ways(kind: str, tmp_path: Path) -> None:
    assert verdicts(tmp_path, "smime", RIGHT_MAILS[kind](signed("smime"))) == ("", True)


@pytest.mark.parametrize("lead", [CHUNK - 60, CHUNK - 40, CHUNK - 21, CHUNK - 20, CHUNK - 1, CHUNK, 2 * CHUNK])
def test_other_parts_are_found_wherever_the_mail_is_cut_into_pieces(lead: int, tmp_path: Path) -> None:
    filled = signed("smime").replace(PREAMBLE, b"x" * (lead - signed("smime").index(PREAMBLE)))
    assert verdicts(tmp_path, "smime", filled) == ("", True)
    assert MANY in verdicts(tmp_path, "smime", filled.replace(CLOSING, DELIMITER + b"\r\n" + FOREIGN + CLOSING))[0]


REFUSED_PEM: dict[str, Change] = {
    "no end": lambda pem: pem.partition(END)[0],
    "another word": swap(END, b"-GARBAGE"),
    "a hyphen too few": swap(END, END[:-1]),
    "another label": swap(END, b"-----END PKCS7-----"),
    "text behind it in the line": swap(END, END + b" really"),
    "Base64 before it in the line": swap(b"\n" + END, END),
    "blanks before it": swap(END, b" " + END),
}


@pytest.mark.parametrize("kind", list(REFUSED_PEM))
def test_rfc7468_2_pem_ends_with_a_line_that_says_so(kind: str, tmp_path: Path) -> None:
    ours, openssl = verdicts(tmp_path, "pem", REFUSED_PEM[kind](signed("pem")))
    assert "no line -----END CMS----- ends its Base64, as if it were cut off (RFC 7468 2)" in ours
    assert not openssl


def test_base64_that_goes_on_behind_its_padding_is_damaged(tmp_path: Path) -> None:
    """The padding is where two pieces of the file meet, so that each of them is right by itself."""
    der = signed("der")
    begin, first, rest = b"-----BEGIN CMS-----", base64.b64encode(der[:1]), base64.encodebytes(der[1:])
    blanks = b"\n" * (CHUNK - len(first))
    ours, openssl = verdicts(tmp_path, "pem", begin + blanks + first + rest + END)
    assert "its Base64 is damaged" in ours
    assert not openssl


RIGHT_PEM: dict[str, Change] = {
    "as it was written": lambda pem: pem,
    "lines that end with CRLF": swap(b"\n", b"\r\n"),
    "no end of the last line": bytes.rstrip,
    "blanks behind the end": swap(END, END + b" \t"),
    "text behind the end": lambda pem: pem + b"That was it.\n",
    "the label of PKCS7": swap(b" CMS--", b" PKCS7--"),
}


@pytest.mark.parametrize("kind", list(RIGHT_PEM))
def test_rfc7468_2_pem_may_end_in_many_ways(kind: str, tmp_path: Path) -> None:
    assert verdicts(tmp_path, "pem", RIGHT_PEM[kind](signed("pem"))) == ("", True)


def test_a_mail_that_somebody_added_to_is_signed_anew(tmp_path: Path) -> None:
    desk = CmsDesk(tmp_path)
    desk.sign(form="smime")
    desk.dest.write_bytes(desk.dest.read_bytes().replace(CLOSING, DELIMITER + b"\r\n" + FOREIGN + CLOSING))
    work = desk.plan(form="smime")
    assert MANY in work.plan.reason
    desk.carry_out(work)
    assert not desk.plan(form="smime").plan.changed
