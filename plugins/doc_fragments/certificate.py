# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the modules that issue certificates."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  not_before:
    description:
      - Start of validity, relative such as C(-10m) or absolute such as C(20301231235959Z), in UTC.
      - A relative time is clipped to the issuer's start.
    type: str
    default: "-10m"
  not_after:
    description:
      - End of validity, relative such as C(+397d), absolute, or V(issuer) for as long as the issuer lives.
      - The default is the profile's.
        R(The guide on profiles,ansible_collections.rootstock.pki.docsite.guide_profiles) has a table of them.
    type: str
  renew_before:
    description:
      - How long before its end the certificate is issued again, as a time such as C(30d) or a share of its lifetime
        such as V(33%).
      - Where a new one would end no later, as with an absolute O(not_after), or with V(issuer) while the issuer is the
        same, the certificate is kept and a warning says so.
      - An authority has to be renewed while it still lives longer than anything that it issues. The role
        P(rootstock.pki.pki_tree#role) sees to that.
      - A self-signed certificate is not renewed unless C(reissue_root).
    type: str
    default: "33%"
  authority_information_access:
    description: Where relying parties find the issuer's certificate and its OCSP responder.
    type: dict
    suboptions:
      ca_issuers:
        description: URLs of the issuer's certificate.
        type: list
        elements: str
        default: []
      ocsp:
        description: URLs of OCSP responders.
        type: list
        elements: str
        default: []
  crl_distribution_points:
    description: Where relying parties find the issuer's CRL.
    type: list
    elements: dict
    default: []
    suboptions:
      full_name:
        description:
          - General names of the CRL, such as V(http://pki.example/ca.crl).
          - C({partition}) in a URL is where the number of the CRL goes, see O(crl_partitions).
        type: list
        elements: str
        default: []
      relative_name:
        description:
          - In place of O(crl_distribution_points[].full_name), the attributes to append to the issuer's name, such as
            V(CN=Some CRL).
        type: list
        elements: str
        default: []
      crl_issuer:
        description: Who signs the CRL, where that is not the issuer.
        type: list
        elements: str
        default: []
      reasons:
        description: Reasons that the CRL covers. All when none is given.
        type: list
        elements: str
        default: []
        choices:
          - key_compromise
          - ca_compromise
          - affiliation_changed
          - superseded
          - cessation_of_operation
          - certificate_hold
          - privilege_withdrawn
          - aa_compromise
  crl_partitions:
    description:
      - How many CRLs the issuer has, each for a part of its certificates. It is fixed before the first of them.
      - The URLs of O(crl_distribution_points) then have C({partition}) in them, the place of the CRL's number from 0
        on. Which one a certificate is in is decided when it is issued.
      - To be left out for an issuer with an Ed25519 key. With C({partition}) in the URLs it opens a CRL for every 64
        certificates, since KMS signs no larger ones with such a key. Without it refuses to issue more than 64 at a
        time.
      - An issuer that signs itself has one CRL, since C(openssl verify -crl_check_all) asks for one of that issuer
        itself, which is in no partition.
    type: int
  issuer_alt_name:
    description: Issuer alternative names, with the prefixes of O(subject_alt_name).
    type: list
    elements: str
    default: []
  freshest_crl:
    description: Where relying parties find the issuer's delta CRL, as in O(crl_distribution_points).
    type: list
    elements: dict
    default: []
    suboptions:
      full_name:
        description: General names of the delta CRL, such as V(http://pki.example/ca-delta.crl).
        type: list
        elements: str
        default: []
      relative_name:
        description: In place of O(freshest_crl[].full_name), the attributes to append to the issuer's name.
        type: list
        elements: str
        default: []
      crl_issuer:
        description: Who signs the CRL, where that is not the issuer.
        type: list
        elements: str
        default: []
      reasons:
        description: Reasons that the CRL covers. All when none is given.
        type: list
        elements: str
        default: []
        choices:
          - key_compromise
          - ca_compromise
          - affiliation_changed
          - superseded
          - cessation_of_operation
          - certificate_hold
          - privilege_withdrawn
          - aa_compromise
  policy_constraints:
    description: How policies bind the certificates below an authority (RFC 5280 4.2.1.11).
    type: dict
    suboptions:
      require_explicit_policy:
        description: After how many certificates a policy is required.
        type: int
      inhibit_policy_mapping:
        description: After how many certificates policies may no longer be mapped.
        type: int
  inhibit_any_policy:
    description: After how many certificates V(any_policy) no longer counts (RFC 5280 4.2.1.14).
    type: int
  ocsp_no_check:
    description:
      - Whether relying parties need not ask for the revocation of an OCSP responder's certificate (RFC 6960 4.2.2.2.1).
      - O(certificate_profile=ocsp_signing) has it anyway.
    type: bool
    default: false
  subject_information_access:
    description: What the subject offers, and where (RFC 5280 4.2.2.2).
    type: dict
    suboptions:
      ca_repository:
        description: URLs of what an authority publishes.
        type: list
        elements: str
        default: []
      time_stamping:
        description: URLs of a timestamping service.
        type: list
        elements: str
        default: []
  subject_key_identifier:
    description:
      - Subject key identifier in hexadecimal digits, with or without colons.
      - The default is the SHA-1 of the public key's bits (RFC 5280 4.2.1.2, method 1).
    type: str
  lint:
    description:
      - Whether the Python library pkilint judges the certificate before it is signed, and what becomes of what it
        finds at the levels C(fatal), C(error) and C(warning).
      - With V(warn) they are warnings. With V(error) they are an error and nothing is signed.
      - Needs pkilint where the module runs.
    type: str
    choices: ["off", "warn", "error"]
    default: "off"
"""

    REQUEST = r"""
options:
  certificate_profile:
    description:
      - What kind of certificate this is. It decides basic constraints, key usage and extended key usage, and how long
        it lives by default.
      - One of V(root_ca), V(subordinate_ca), V(tls_server), V(tls_client), V(tls_peer), V(code_signing),
        V(document_signing), V(email_protection), V(timestamping), V(ocsp_signing), V(iam_roles_anywhere), V(custom), or
        one of O(certificate_profiles). The guide on profiles has a table of them.
    type: str
    required: true
  certificate_profiles:
    description:
      - Profiles of your own, by name. Each V(extends) a built-in one and says what is different.
      - They may say V(key_usage) (a list, or a dictionary of lists by type of key), V(extended_key_usage),
        V(extended_key_usage_critical), V(san_kinds), V(csr_extensions), V(csr_san_kinds), V(key_specs), V(not_after),
        V(longest) and V(ocsp_no_check).
    type: dict
  subject:
    description:
      - Subject, in the order written. Short, long and snake_case OpenSSL names and dotted OIDs are understood.
      - A value may be a list.
    type: dict
  subject_ordered:
    description: Subject as a list of dictionaries with one name each, for names that come more than once.
    type: list
    elements: dict
  subject_alt_name:
    description:
      - Subject alternative names with the prefixes C(DNS:), C(IP:), C(email:), C(URI:), C(RID:), C(dirName:) and
        C(otherName:).
    type: list
    elements: str
  subject_alt_name_critical:
    description: Whether the subject alternative names are critical. They always are where the subject is empty.
    type: bool
    default: false
  key_usage:
    description:
      - Key usage instead of the profile's, such as V(digital_signature) or V(digitalSignature).
    type: list
    elements: str
  key_usage_critical:
    description: Whether the key usage is critical.
    type: bool
    default: true
  extended_key_usage:
    description:
      - Extended key usage instead of the profile's, such as V(server_auth), V(serverAuth) or an OID.
    type: list
    elements: str
  extended_key_usage_critical:
    description: Whether the extended key usage is critical. The default is the profile's.
    type: bool
  basic_constraints:
    description:
      - Basic constraints, V(CA:TRUE) or V(CA:FALSE) and V(pathlen:0), for O(certificate_profile=custom) alone.
    type: list
    elements: str
  path_length:
    description: How many authorities may follow below this one. Only for authorities.
    type: int
  name_constraints_permitted:
    description:
      - Names that the authority may issue for, such as C(DNS:acme.internal) or C(IP:10.0.0.0/8). Only for authorities.
      - A name lies below a C(dirName) where OpenSSL finds so, which ignores case and white space of ASCII alone.
    type: list
    elements: str
    default: []
  name_constraints_excluded:
    description: Names that the authority may not issue for. Only for authorities.
    type: list
    elements: str
    default: []
  name_constraints_exclude_others:
    description:
      - Whether kinds of names that O(name_constraints_permitted) does not mention are excluded altogether.
      - Without this an authority for C(DNS:acme.internal) may issue for every IP address and every mailbox.
      - DNS names, IP addresses, mailboxes and URIs are excluded by the certificate, for every relying party. RFC 5280
        4.2.1.10 has no such constraint for C(otherName), C(RID) and C(dirName). Below an authority that limits all of
        the former, modules issue for none of the latter that it does not permit, but relying parties would take them.
      - Subjects are not excluded. Permit a C(dirName), such as C(dirName:O=Acme), to constrain them.
    type: bool
    default: true
  digest:
    description:
      - Hash of the signature, where the signing key leaves a choice. The default is V(sha256) for RSA and the curve's
        own for ECDSA.
    type: str
    choices: [sha256, sha384, sha512]
  signature_padding:
    description: Padding of RSA signatures.
    type: str
    choices: [pkcs1v15, pss]
    default: pkcs1v15
  certificate_policies:
    description: Policies that the certificate was issued under (RFC 5280 4.2.1.4).
    type: list
    elements: dict
    default: []
    suboptions:
      policy:
        description: OID of the policy, or V(any_policy).
        type: str
        required: true
      cps:
        description: URLs of certification practice statements.
        type: list
        elements: str
        default: []
      user_notice:
        description: What relying parties may show to people.
        type: dict
        suboptions:
          explicit_text:
            description: The notice, at most 200 characters.
            type: str
          organization:
            description: Whose notices O(certificate_policies[].user_notice.notice_numbers) are.
            type: str
          notice_numbers:
            description: Numbers of notices of the organization.
            type: list
            elements: int
            default: []
  certificate_policies_critical:
    description: Whether the certificate policies are critical.
    type: bool
    default: false
  ocsp_must_staple:
    description: Whether a TLS server has to send its OCSP response along (RFC 7633).
    type: bool
    default: false
  ocsp_must_staple_critical:
    description: Whether O(ocsp_must_staple) is critical.
    type: bool
    default: false
  other_extensions:
    description: Extensions that have no option of their own.
    type: list
    elements: dict
    default: []
    suboptions:
      oid:
        description: OID of the extension.
        type: str
        required: true
      value:
        description: Its DER value in base64.
        type: str
        required: true
      critical:
        description: Whether it is critical.
        type: bool
        default: false
"""

    SUBJECT_KEY = r"""
options:
  key_id:
    description:
      - The subject key, a KMS key's ID, ARN, alias name or alias ARN.
      - While it is disabled, as a root's key may be between two ceremonies, the key of the certificate that is there
        counts as the subject key. AWS KMS may not give out the public key then.
    type: str
  csr_path:
    description:
      - PKCS#10 request of the subject, in PEM or DER. Its signature is checked.
      - Its subject is used when O(subject) is not given. Of its extensions those are copied that the profile allows
        and the task does not give. A request with alternative names of kinds that the profile does not copy is refused,
        unless O(subject_alt_name) is given.
    type: path
  csr_content:
    description: As O(csr_path), in PEM.
    type: str
  public_key_path:
    description: The subject key as a public key, in PEM or DER.
    type: path
  public_key_content:
    description: As O(public_key_path), in PEM.
    type: str
  subject_certificate_path:
    description:
      - A certificate that the subject has from somebody else, in PEM or DER, to certify it again. That makes a
        cross-certificate of the certificate of another organization's authority.
      - Its subject, key and subject key identifier are used, as what the subject issued names them. Nothing else of it
        is, so the task says the constraints.
    type: path
  subject_certificate_content:
    description: As O(subject_certificate_path), in PEM.
    type: str
"""

    ISSUER = r"""
options:
  issuer_path:
    description:
      - The issuer's certificate, in PEM. The first one in the file is the issuer, more may follow that are above it.
      - Without O(issuer_path) and O(issuer_content) the certificate is self-signed with O(key_id).
    type: path
  issuer_content:
    description: As O(issuer_path), as text.
    type: str
  issuer_chain_path:
    description:
      - Files with certificates above the issuer, in PEM, in any order.
      - They are needed for C(chain_path) and so that the constraints of all authorities above hold.
      - Names and authority key identifiers tell which one follows, as RFC 5280 7.1 and 4.2.1.1 say. Nothing is issued
        where a certificate here, or behind the issuer's own, ought to follow and does not fit.
    type: list
    elements: path
    default: []
  issuer_key_id:
    description: The issuer's key, a KMS key's ID, ARN, alias name or alias ARN. Self-signed certificates use O(key_id).
    type: str
  ledger_path:
    description:
      - The issuer's ledger. The default is C(ledger.jsonl) beside the issuer's certificate, which is the certificate
        itself when it is self-signed.
    type: path
  authority_ledger_path:
    description:
      - For an authority's certificate, the ledger of what the authority itself issues. While certificates in it are
        valid, subject, key and constraints of the authority do not change.
      - The default is C(ledger.jsonl) beside C(path), for a self-signed certificate O(ledger_path).
    type: path
  former_ledger_path:
    description:
      - Ledgers of other authorities that may have issued the certificate before.
      - A certificate that one of them knows is issued again by the present issuer, with the changed issuer as the
        reason. The former one stays in the ledger of who issued it, and valid until it expires or is revoked there.
      - A certificate that no ledger knows is never replaced, but for O(force=true).
    type: list
    elements: path
    default: []
"""
