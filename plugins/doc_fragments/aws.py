# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of every module that talks to AWS, beyond those of amazon.aws."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  assume_role:
    description:
      - A role to assume for all calls of the task, with the credentials that the other options give.
      - A role that was just made cannot be assumed for some seconds, and AWS then says what it says to those who may
        not. Nothing is repeated for that reason, so give the first such task C(until) and C(retries).
      - It can be said once for many tasks, in the C(module_defaults) of C(group/rootstock.pki.kms).
    type: dict
    suboptions:
      role_arn:
        description: ARN of the role, in this account or another one.
        type: str
        required: true
      session_name:
        description: What the session is called in CloudTrail.
        type: str
        default: rootstock
      external_id:
        description: The external ID that the role's trust policy asks for.
        type: str
      duration:
        description: How many seconds the session lasts.
        type: int
        default: 900
notes:
  - O(endpoint_url) is where all services are asked, among them the tagging API, and AWS STS for O(assume_role), for the
    account of a new key and for who signs. An endpoint of AWS KMS alone, such as one in a VPC, is for the environment
    variable E(AWS_ENDPOINT_URL_KMS).
"""
