# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with the options of a key, told before a task is run with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .._pki.errors import PkiError
from .key_options import KEY_OPTIONS, to_desired_key


def keys_refused(keys: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what kms_key would refuse of *keys*, its options each with the name of an entry, when it came to them."""
    return [f"the key of {key['name']}: {problem}" for key in keys for problem in key_problems(key)]


def key_problems(options: Mapping[str, Any]) -> list[str]:
    """Return what kms_key would refuse of *options* without asking AWS; other options than its own do not count."""
    given = {name: value for name, value in options.items() if name in KEY_OPTIONS}
    checked = ArgumentSpecValidator(KEY_OPTIONS).validate(given)
    if checked.error_messages:
        return list(checked.error_messages)
    try:
        to_desired_key(checked.validated_parameters)
    except PkiError as exc:
        return [str(exc)]
    return []
