# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tree of the example, issued as the role issues it, with keys in memory where KMS would be."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from cryptography import x509

from ansible_collections.rootstock.pki.plugins.filter.tree_plan import tree_plan
from ansible_collections.rootstock.pki.plugins.module_utils._module.certificates import certificate_files, to_task
from ansible_collections.rootstock.pki.plugins.module_utils._operations.certificate_plan import plan_certificate
from ansible_collections.rootstock.pki.plugins.module_utils._operations.issue_certificate import carry_out
from ansible_collections.rootstock.pki.plugins.modules.kms_x509_cert import ARGUMENT_SPEC
from examples.demo import EXAMPLE, make_what_others_make
from tests.unit.module.controller import Controller, module_named
from tests.unit.operations.workshop import Clock, Workshop

STEPS = {
    "kms_keys": "kms_key",
    "public_keys": "kms_public_key",
    "certificates": "kms_x509_cert",
    "crls": "kms_x509_crl",
}
"""Parts of the plan of a tree, in the order of the role, and the modules that carry them out."""


@dataclass(frozen=True)
class BuiltTree:
    """What a bootstrap of the example leaves on the disk."""

    folder: Path
    plan: dict[str, Any]

    @property
    def names(self) -> list[str]:
        return [options["name"] for options in self.plan["certificates"]]

    def options(self, name: str) -> dict[str, Any]:
        return next(options for options in self.plan["certificates"] if options["name"] == name)

    def certificate(self, name: str) -> x509.Certificate:
        return x509.load_pem_x509_certificate(Path(self.options(name)["path"]).read_bytes())

    def above(self, name: str) -> list[str]:
        """Return the names of the authorities above *name*, nearest first."""
        options = self.options(name)
        paths = [options["issuer_path"], *options["issuer_chain_path"]] if "issuer_path" in options else []
        return [Path(path).parent.name for path in paths]

    def key_spec(self, name: str) -> str:
        return next((key["key_spec"] for key in self.plan["kms_keys"] if key["name"] == name), "")


def inventory() -> dict[str, Any]:
    variables: dict[str, Any] = yaml.safe_load((EXAMPLE / "inventory.yml").read_text())["all"]["vars"]
    return variables


def plan_of(variables: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    return tree_plan(
        variables["pki_authorities"],
        variables.get("pki_certificates"),
        pki_name=variables["pki_name"],
        pki_dir="pki",
        base_dir=str(folder),
        base_url=variables.get("pki_base_url", ""),
    )


def build(folder: Path) -> BuiltTree:
    """Make what others make, then the keys, then every certificate with its chains."""
    make_what_others_make(folder)
    plan = plan_of(inventory(), folder)
    workshop = Workshop(folder, clock=Clock(datetime.fromtimestamp(int(time.time()), timezone.utc)))
    make_keys(workshop, plan)
    for options in plan["certificates"]:
        issue(workshop, options)
    return BuiltTree(folder, plan)


def make_keys(workshop: Workshop, plan: dict[str, Any], key_spec: str = "") -> None:
    """Make every key, of its own kind or all of one, and the folders of the tree."""
    for key in plan["kms_keys"]:
        workshop.key(key["alias"], key_spec or key["key_spec"])
    for public_key in plan["public_keys"]:
        Path(public_key["path"]).parent.mkdir(parents=True)
        Path(public_key["path"]).write_bytes(workshop.public_key(public_key["key_id"]) or b"")
    (workshop.folder / "pki" / "certificates").mkdir()


def issue(workshop: Workshop, options: dict[str, Any]) -> None:
    """Do what kms_x509_cert does with *options*, without AWS and without attributes of files."""
    checked = ArgumentSpecValidator(ARGUMENT_SPEC).validate({k: v for k, v in options.items() if k != "aws"})
    assert checked.error_messages == []
    task = to_task(checked.validated_parameters, options["path"], None)
    ports = workshop.ports(task)
    planned = plan_certificate(task, ports)
    done = carry_out(planned, ports, workshop.issuing(task.issuer_key_id))
    for file in certificate_files(checked.validated_parameters, done.certificate, done.bundle):
        Path(file.path).write_bytes(file.content or b"")


def run_modules(controller: Controller, variables: Mapping[str, Any], folder: Path) -> list[bool]:
    """Run every module of a tree, as its role does, and return what each changed."""
    plan, changed = plan_of(variables, folder), []
    assert plan["problems"] == []
    for part, module in STEPS.items():
        for options in plan[part]:
            takes = {*module_named(module).ARGUMENT_SPEC, "region"}
            given = {name: value for name, value in {**options, **options["aws"]}.items() if name in takes}
            Path(str(given.get("path", folder / "x"))).parent.mkdir(parents=True, exist_ok=True)
            told = controller.run(module, given)
            assert not told.get("failed"), told["msg"]
            changed.append(told["changed"])
    return changed
