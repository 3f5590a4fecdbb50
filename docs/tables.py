# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the tables of the guides from the data that the modules use: `python -m docs.tables` from the checkout."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ansible_collections.rootstock.pki.plugins.module_utils._keys.access import ACTIONS, ADMINISTRATION, RESCUE
from ansible_collections.rootstock.pki.plugins.module_utils._pki.profiles import KEY_TYPES, PROFILES, Profile

GUIDES = Path(__file__).parent / "docsite" / "rst"
BEGIN, END = ".. begin of the generated table", ".. end of the generated table"


def profile_rows() -> list[tuple[str, ...]]:
    """Return the header and one row for each built-in profile."""
    header = (
        "profile",
        "authority",
        "key usage",
        "extended key usage",
        "needs a name of",
        "lives, at most",
        "copied from a CSR",
    )
    return [header, *(profile_row(profile) for profile in PROFILES.values())]


def profile_row(profile: Profile) -> tuple[str, ...]:
    critical = ", critical" if profile.extended_key_usage_critical else ""
    specs = f"; keys: {', '.join(profile.key_specs)}" if profile.key_specs else ""
    return (
        profile.name,
        ("self-signed" if profile.self_signed else "yes") if profile.ca else "no",
        key_usage(profile) + specs,
        ", ".join(profile.extended_key_usage) + critical if profile.extended_key_usage else "",
        " or ".join(profile.san_kinds),
        profile.not_after.lstrip("+") + (f", {profile.longest}" if profile.longest else ""),
        copied(profile),
    )


def copied(profile: Profile) -> str:
    """Return the extensions that a request may give, of the alternative names their kinds."""
    kinds = f" ({', '.join(profile.csr_san_kinds)})" if profile.csr_san_kinds else ""
    return ", ".join(f"{name}{kinds}" if name == "subject_alt_name" else name for name in profile.csr_extensions)


def key_usage(profile: Profile) -> str:
    """Return the bits that all types of keys have, then those that some have more."""
    common = list(profile.key_usage["EC"])
    told = ", ".join(common)
    for key_type in KEY_TYPES:
        more = [usage for usage in profile.key_usage.get(key_type, ()) if usage not in common]
        told += f", {', '.join(more)} ({key_type})" if more else ""
    return told


def access_rows() -> list[tuple[str, ...]]:
    """Return the header and one row for each action on a key: who may do it under a key policy made of lists."""
    nobody = ("kms:CreateGrant", "kms:DeriveSharedSecret", "kms:GenerateDataKey", "kms:ReplicateKey")
    everything = {*ADMINISTRATION, *(action for actions in ACTIONS.values() for action in actions), *nobody}
    columns = {**ACTIONS, "root user": RESCUE, "anybody else": ()}
    header = ("action", *columns)
    return [
        header,
        *((name, *("yes" if name in may else "no" for may in columns.values())) for name in sorted(everything)),
    ]


def rst_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a list-table; the first row is the header."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        for place, cell in enumerate(row):
            lines.append(f"   {'*' if place == 0 else ' '} - {cell}".rstrip())
    return "\n".join(lines)


def with_table(text: str, table: str) -> str:
    """Return *text* with *table* between its two markers."""
    before, _unused, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{rest.partition(END)[2]}"


def main() -> None:
    for name, rows in (("guide_profiles.rst", profile_rows()), ("guide_key_policies.rst", access_rows())):
        guide = GUIDES / name
        guide.write_text(with_table(guide.read_text(), rst_table(rows)))


if __name__ == "__main__":
    main()
