# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs modules as Ansible does, but in this process and at a time that the test sets."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible.module_utils.common import warnings
from ansible.module_utils.testing import patch_module_args

from localaws.testing import REGION, Principal

COLLECTION = "ansible_collections.rootstock.pki.plugins"
MODULES = sorted(path.stem for path in (Path(__file__).resolve().parents[3] / "plugins" / "modules").glob("*.py"))


def module_named(name: str) -> ModuleType:
    return import_module(f"{COLLECTION}.modules.{name}")


@dataclass
class StoppedClock:
    """The time that every module sees."""

    now: datetime = field(default_factory=lambda: datetime.now(timezone.utc).replace(microsecond=0))

    def stop(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = self

        class Stopped(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Any:
                return clock.now.astimezone(tz)

        readers = [import_module(f"{COLLECTION}.module_utils._module.converge"), *map(module_named, MODULES)]
        for reader in readers:
            if hasattr(reader, "datetime"):
                monkeypatch.setattr(reader, "datetime", Stopped)

    def tick(self) -> None:
        self.now += timedelta(seconds=1)


@dataclass(frozen=True)
class Controller:
    """Where tasks are run from, with a principal's credentials."""

    principal: Principal
    clock: StoppedClock = field(default_factory=StoppedClock)

    def run(self, name: str, options: Mapping[str, Any], *, check: bool = False) -> dict[str, Any]:
        """Return what the module *name* tells, failure or not."""
        module = module_named(name)
        takes_aws = hasattr(module, "AnsibleAWSModule")
        given = {**(self._connection() if takes_aws else {}), **options}
        hidden = {"_ansible_check_mode": check, "_ansible_diff": True, "_ansible_remote_tmp": "/tmp"}
        said = io.StringIO()
        warnings._global_warnings.clear()  # what an earlier module said in this process
        with patch_module_args({**given, **hidden}), redirect_stdout(said), pytest.raises(SystemExit):
            module.main()
        told: dict[str, Any] = json.loads(said.getvalue())
        return told

    def _connection(self) -> dict[str, str]:
        names = {
            "access_key_id": "access_key",
            "secret_access_key": "secret_key",
            "session_token": "session_token",
        }
        given = {names[name]: value for name, value in self.principal.credentials.items()}
        return {"endpoint_url": self.principal.endpoint, "region": REGION, **given}
