# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The entries of an inventory: what may stand in pki_authorities and pki_certificates, and in what shape."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .certificate import ISSUER_END
from .names import to_name
from .problems import try_all
from .profiles import PROFILES, Profile, profile_named
from .request import NAME
from .tree_options import (
    ADMINISTRATOR_ROLE,
    AUTHORITY,
    CERTIFICATE,
    CROSS,
    DEFAULT_KEY_SPEC,
    EXTERNAL_FILES,
    KEY_SPECS,
    OF_THE_ISSUER,
    OPTIONS,
    OPTIONS_OF_KEYS,
    PRINCIPALS,
    ROLE_OPTIONS,
    SIGNER_ROLE,
    SOURCE_FILES,
    VARIABLES,
    Shape,
    found,
    is_list,
)

if TYPE_CHECKING:
    from cryptography import x509

NAME_WORDS = "lower-case letters, digits, dot, underscore and hyphen, a letter or digit first, 63 at most"
_ALIAS = re.compile(r"[A-Za-z0-9/_-]{1,250}")


# What a cross-certificate has in common with the certificate of its authority.
OF_CROSSES = (
    "subject",
    "subject_ordered",
    "subject_alt_name",
    "subject_alt_name_critical",
    "subject_key_identifier",
    "subject_information_access",
    "path_length",
    "name_constraints_permitted",
    "name_constraints_excluded",
    "name_constraints_exclude_others",
    "key_usage",
    "key_usage_critical",
    "extended_key_usage",
    "extended_key_usage_critical",
    "certificate_policies",
    "certificate_policies_critical",
    "policy_constraints",
    "inhibit_any_policy",
    "other_extensions",
    "lint",
)
_OF_SIGNATURES = ("digest", "signature_padding")
# How long a cross-certificate lives is for its issuer's end to say.
_TIMES_OF_PROFILES = ("not_after", "longest")
SUBORDINATE = "subordinate_ca"
_SUBJECT_KEYS = ("key", *SOURCE_FILES)
# Both kinds leave files beside each other: <name>.pem, <name>.chain.pem; trust/<root>.pem, trust/bundle.pem.
_RESERVED_DIRECTORIES = ("certificates", "trust")
_RESERVED_ROOTS = ("bundle",)
_PARTS_OF_FILE_NAMES = (".chain", ".fullchain", ".public_key")


@dataclass(frozen=True)
class Entry:
    """One authority or certificate as the inventory has it.

    Attributes:
        kind: AUTHORITY, CERTIFICATE or CROSS.
        name: unique in a tree that can be built; with a generation it ends in that, as in root-r2.
        options: what is said about it, as far as it is understood.
        key: its KMS key likewise; None where the key is somebody else's.
        alias: alias of that key, without `alias/`; empty where the key is named by key_id, or is not in KMS.
        written: everything as the inventory has it.
        profile: None where there is none of its name.
        of: of a cross-certificate, the name of the authority that it is for.
    """

    kind: str
    name: str
    options: Mapping[str, object] = field(hash=False)
    key: Mapping[str, object] | None = field(hash=False)
    alias: str
    written: Mapping[str, object] = field(hash=False)
    profile: Profile | None = None
    of: str = ""

    @property
    def label(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def issuer(self) -> str:
        """Name of the authority that issues it; empty for a root, and where it is somebody else's."""
        return self.text("issuer")

    @property
    def external(self) -> bool:
        """True for an authority, or cross-certificate, that somebody else issues."""
        return bool(self.options.get("external"))

    @property
    def of_no_generation(self) -> bool:
        """True where it has a generation that is none, so that nobody knows its name."""
        return self.written.get("generation") is not None and "generation" not in self.options

    @property
    def is_foreign_ca(self) -> bool:
        """True for the authority of somebody else that an authority of the tree certifies."""
        return self.kind == CERTIFICATE and self.profile is not None and self.profile.ca

    @property
    def key_spec(self) -> str:
        """Spec of its KMS key; empty where the key is not in KMS."""
        return "" if self.key is None else str(self.key.get("key_spec") or DEFAULT_KEY_SPEC)

    @property
    def region(self) -> str:
        return "" if self.key is None else str(self.key.get("region") or "")

    def text(self, option: str) -> str:
        return str(self.options.get(option) or "")

    def texts(self, option: str) -> list[str]:
        value = self.options.get(option)
        return [str(item) for item in value] if is_list(value) else []

    def subject_items(self) -> list[tuple[str, object]]:
        """Return the parts of the subject, in either of its two forms, in the order written."""
        subject = self.options.get("subject") or self.options.get("subject_ordered") or ()
        parts = subject if is_list(subject) else [subject]
        return [(str(name), value) for part in parts if isinstance(part, Mapping) for name, value in part.items()]

    def subject_name(self) -> x509.Name:
        """Return the subject as a certificate has it; empty where there is none.

        Raises:
            SpecError: with all that is wrong with its words.
        """
        subject = self.options.get("subject") or self.options.get("subject_ordered")
        return to_name(subject or {})  # type: ignore[arg-type]  # its shape is known


@dataclass(frozen=True)
class Profiles:
    """The certificate profiles that entries may name.

    Attributes:
        definitions: those of the inventory, as it has them.
        usable: by name, the built-in ones too.
    """

    definitions: Mapping[str, object]
    usable: Mapping[str, Profile]
    problems: tuple[str, ...] = ()


def to_profiles(given: object) -> Profiles:
    """Return the built-in profiles and those that an inventory defines."""
    if given is not None and not isinstance(given, Mapping):
        return Profiles({}, PROFILES, (f"pki_certificate_profiles is {given!r}; expected a mapping",))
    definitions = {str(name): definition for name, definition in (given or {}).items()}
    made, refused = try_all(lambda name: profile_named(name, definitions), list(definitions))
    usable = {**PROFILES, **{profile.name: profile for profile in made}}
    return Profiles(definitions, usable, tuple(f"pki_certificate_profiles: {problem}" for problem in refused))


def to_entry(kind: str, options: Mapping[str, object], pki_name: str, profiles: Profiles) -> Entry:
    """Return *options* as an entry; the key's alias is `pki/<pki_name>/<name>` unless it says otherwise.

    A generation is appended to name and alias, so a successor stands beside its predecessor.
    """
    name, key = str(options.get("name") or ""), options.get("key")
    given = in_shape(options, OPTIONS[kind])
    of_profile = str(given.get("certificate_profile"))
    if of_profile in profiles.definitions:
        given["certificate_profiles"] = profiles.definitions
    profile = profiles.usable.get(of_profile)
    if not isinstance(key, Mapping):
        return Entry(kind, _full_name(options), given, None, "", options, profile)
    alias = str(key.get("alias") or "").removeprefix("alias/")
    if not alias and not key.get("key_id"):
        alias = f"pki/{pki_name}/{name}"
    alias += f"/{_generation(options)}" if alias and _generation(options) else ""
    return Entry(kind, _full_name(options), given, in_shape(key, OPTIONS_OF_KEYS[kind]), alias, options, profile)


def to_crosses(authority: Entry, by_name: Mapping[str, Entry]) -> tuple[Entry, ...]:
    """Return the cross-certificates of *authority*: its name, key and limits, as others certify them."""
    issuers = dict.fromkeys(authority.texts("cross_signed_by"))
    return tuple(_to_cross(authority, issuer, by_name.get(issuer)) for issuer in issuers)


def _to_cross(authority: Entry, name: str, issuer: Entry | None) -> Entry:
    options = {
        **_profile_of_crosses(authority),
        **{option: value for option, value in authority.options.items() if option in OF_CROSSES},
        **({} if issuer is None else signature_options(issuer)),
        "issuer": name,
        "not_after": ISSUER_END,
    }
    full_name = f"{authority.name}-by-{name}"
    return Entry(CROSS, full_name, options, None, "", authority.written, of=authority.name)


def _profile_of_crosses(authority: Entry) -> dict[str, object]:
    """Return the profile of *authority* as one of its kind has it that does not sign itself."""
    name, definitions = authority.text("certificate_profile"), authority.options.get("certificate_profiles")
    own = definitions.get(name) if isinstance(definitions, Mapping) else None
    if not isinstance(own, Mapping):
        return {"certificate_profile": SUBORDINATE}
    said = {option: value for option, value in own.items() if option not in _TIMES_OF_PROFILES}
    return {"certificate_profile": name, "certificate_profiles": {name: {**said, "extends": SUBORDINATE}}}


def signature_options(signer: Entry) -> dict[str, object]:
    """Return how *signer* signs what it issues; only RSA keys leave a choice."""
    if not signer.key_spec.startswith("RSA"):
        return {}
    return {option: signer.options[option] for option in _OF_SIGNATURES if option in signer.options}


def _generation(options: Mapping[str, object]) -> str:
    """Return the generation as names have it, such as r2; empty for an entry that has none, or a wrong one."""
    given, shape = options.get("generation"), OPTIONS[AUTHORITY]["generation"]
    return f"r{shape.read(given)}" if shape.fits(given) else ""


def _full_name(options: Mapping[str, object]) -> str:
    return "-".join(filter(None, (str(options.get("name") or ""), _generation(options))))


def in_shape(options: Mapping[str, object], known: Mapping[str, Shape]) -> dict[str, object]:
    given = ((name, value, known[name]) for name, value in options.items() if name in known and value is not None)
    return {name: shape.read(value) for name, value, shape in given if shape.fits(value)}


def shape_problems(kind: str, position: int, options: object, profiles: Profiles) -> list[str]:
    """Return what is wrong with one entry by itself, whatever else stands in the inventory."""
    where = f"{VARIABLES[kind]}[{position}]"
    if not isinstance(options, Mapping):
        return [f"{where}: is {found(options)}; expected a mapping with a name, a certificate_profile and so on"]
    name = options.get("name")
    if name is None:
        return [f"{where}: has no name"]
    if not isinstance(name, str) or not NAME.fullmatch(name):
        return [f"{where}: name {name!r} does not fit: {NAME_WORDS}"]
    full_name = _full_name(options)
    label = f"{kind} {full_name}"
    if not NAME.fullmatch(full_name):
        return [f"{where}: name {full_name!r} does not fit: {NAME_WORDS}"]
    return [
        *option_problems(label, options, OPTIONS[kind]),
        *_key_problems(label, kind, name, options.get("key")),
        *_missing(label, kind, options),
        *_profile_problems(label, kind, options, profiles),
        *(_external_problems(label, options) if kind == AUTHORITY else []),
        *_reserved(label, kind, full_name, options),
    ]


def option_problems(label: str, options: Mapping[str, object], known: Mapping[str, Shape]) -> list[str]:
    problems = []
    for option, value in options.items():
        if option not in known:
            near = difflib.get_close_matches(str(option), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            problems.append(f"{label}: unknown option {option}; {hint}")
        elif value is not None and not known[option].fits(value):
            problems.append(f"{label}: {option} is {found(value)}; expected {known[option].words}")
    return problems


def _key_problems(label: str, kind: str, name: str, key: object) -> list[str]:
    if not isinstance(key, Mapping):
        return []
    problems = option_problems(f"{label}: key", key, OPTIONS_OF_KEYS[kind])
    problems += _access_problems(label, key)
    alias = str(key.get("alias") or "").removeprefix("alias/")
    if alias and not _ALIAS.fullmatch(alias):
        problems.append(f"{label}: key alias {alias!r} does not fit: letters, digits, slash, underscore and hyphen")
    if alias.startswith("aws/"):
        problems.append(f"{label}: key alias {alias} begins with aws/, which belongs to AWS")
    if not alias and not key.get("key_id") and "." in name:
        problems.append(f"{label}: its name cannot be part of an alias because of the dot; give key an alias")
    if (key.get("key_spec") or DEFAULT_KEY_SPEC) not in KEY_SPECS:
        problems.append(f"{label}: key_spec {key['key_spec']} cannot sign; there are {', '.join(KEY_SPECS)}")
    return problems


def _access_problems(label: str, key: Mapping[str, object]) -> list[str]:
    """Return what is wrong with who may do what with a key, and with the roles that make it and sign."""
    problems = []
    lists = [option for option in (*PRINCIPALS, "break_glass_principals") if key.get(option) is not None]
    if key.get("policy") is not None and lists:
        problems.append(f"{label}: key has both policy and {', '.join(lists)}; the lists make a policy of their own")
    for option in (ADMINISTRATOR_ROLE, SIGNER_ROLE):
        role = key.get(option)
        if isinstance(role, Mapping):
            problems += option_problems(f"{label}: key: {option}", role, ROLE_OPTIONS)
            problems += [] if role.get("role_arn") else [f"{label}: key: {option} has no role_arn; name the role"]
    return problems


def _missing(label: str, kind: str, options: Mapping[str, object]) -> list[str]:
    problems = []
    subject = [option for option in ("subject", "subject_ordered") if options.get(option)]
    if len(subject) > 1:
        problems.append(f"{label}: has both subject and subject_ordered; one of them names it")
    if kind == AUTHORITY:
        problems += [] if subject else [f"{label}: has no subject"]
        problems += [f"{label}: has no key"] if options.get("key") is None else []
        return problems
    sources = [option for option in _SUBJECT_KEYS if options.get(option) is not None]
    if len(sources) != 1:
        found = f"has {' and '.join(sources)}" if sources else "says of no key that it is for"
        problems.append(f"{label}: {found}; expected exactly one of {', '.join(_SUBJECT_KEYS)}")
    if "subject_certificate_path" in sources:
        said = [*subject, *(["subject_key_identifier"] if options.get("subject_key_identifier") else [])]
        problems += [f"{label}: {option} is that of subject_certificate_path; leave it out" for option in said]
    elif not subject and not options.get("subject_alt_name") and sources != ["csr_path"]:
        problems.append(f"{label}: has no subject")
    if not options.get("issuer"):
        problems.append(f"{label}: has no issuer; name the authority that issues it")
    return problems


def _profile_problems(label: str, kind: str, options: Mapping[str, object], profiles: Profiles) -> list[str]:
    name = options.get("certificate_profile")
    certified = kind == CERTIFICATE and options.get("key") is None  # an authority of somebody else, perhaps
    usable = profiles.usable.values()
    fitting = [one.name for one in usable if one.ca == (kind == AUTHORITY) or (certified and not one.self_signed)]
    choice = f"there are {', '.join(fitting)}"
    if not name:
        return [f"{label}: has no certificate_profile; {choice}"]
    profile = profiles.usable.get(str(name))
    if profile is None and str(name) in profiles.definitions:
        return [f"{label}: certificate_profile {name} cannot be used; mend it in pki_certificate_profiles"]
    if profile is None:
        near = difflib.get_close_matches(str(name), fitting, n=1)
        return [f"{label}: unknown certificate_profile {name}; {f'did you mean {near[0]}?' if near else choice}"]
    if profile.name not in fitting:
        return [f"{label}: certificate_profile {name} is not for {kind} entries; {choice}"]
    if is_external(options):
        return [f"{label}: is external and a {name}; only a root signs itself"] if profile.self_signed else []
    if profile.self_signed and options.get("issuer"):
        return [f"{label}: is a {name} and has the issuer {options['issuer']}; leave issuer out or use subordinate_ca"]
    if kind == AUTHORITY and not profile.self_signed and not options.get("issuer"):
        return [f"{label}: is a {name} without an issuer; name one or use root_ca"]
    return []


def is_external(options: Mapping[str, object]) -> bool:
    return str(options.get("external")).lower() in ("true", "yes")


def _external_problems(label: str, options: Mapping[str, object]) -> list[str]:
    files = [option for option in EXTERNAL_FILES if options.get(option)]
    if not is_external(options):
        return [f"{label}: has {option} and is not external; leave it out" for option in files]
    others = [option for option in ("issuer", *OF_THE_ISSUER) if options.get(option) is not None]
    return [
        *(f"{label}: is external and has no {option}" for option in EXTERNAL_FILES if option not in files),
        *(f"{label}: is external, so {option} is not yours to say; leave it out" for option in others),
    ]


def _reserved(label: str, kind: str, name: str, options: Mapping[str, object]) -> list[str]:
    if kind == AUTHORITY and name in _RESERVED_DIRECTORIES:
        return [f"{label}: the folder {name} holds other files of the tree; choose another name"]
    if kind == AUTHORITY and name in _RESERVED_ROOTS and not options.get("issuer"):
        return [f"{label}: trust/{name}.pem holds all roots; choose another name"]
    part = next((part for part in _PARTS_OF_FILE_NAMES if kind == CERTIFICATE and name.endswith(part)), "")
    if part:
        return [f"{label}: {name}.pem would be the {part[1:]} file of {name.removesuffix(part)}; choose another name"]
    return []
