# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-playbook in forks of one process, and modules in forks of those: what each would import is imported once.

Each line of the standard input is a JSON object that asks for one run: `arguments`, `environment` to add, and the files
`out` and `err` that get what it writes. Its exit status is the answer.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import sys
import traceback
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from tempfile import TemporaryFile
from typing import IO, Any

import boto3
import botocore.session
from ansible import cli, constants
from ansible.cli.playbook import PlaybookCLI
from ansible.executor.module_common import _BuiltModule
from ansible.module_utils.testing import patch_module_args
from ansible.plugins import action
from ansible.plugins.loader import (
    action_loader,
    connection_loader,
    filter_loader,
    init_plugin_loader,
    lookup_loader,
    shell_loader,
    test_loader,
)
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionPkgLoaderBase

from tests.harness.environment import CHECKOUT

OURS = "ansible_collections.rootstock.pki.plugins"
MARK = b"run in a fork: "
Execute = Callable[..., tuple[int, bytes, bytes]]


class ForkingPlaybook(PlaybookCLI):  # type: ignore[misc]
    """The command, changed where a module would be packed and where it would be executed."""

    def _play_prereqs(self) -> Any:
        action.modify_module = note
        connection = connection_loader.get("local", class_only=True)
        connection.exec_command = forking(connection.exec_command)
        return super()._play_prereqs()


def keep_compiled(loader: type[Any]) -> None:
    """Let Ansible's importer of collections take what Python compiled before; it compiles all of it each time."""
    ordinary = loader.get_code

    def get_code(self: Any, name: str) -> Any:
        path = self.get_filename(name)
        return SourceFileLoader(name, path).get_code(name) if os.path.isfile(path) else ordinary(self, name)

    loader.get_code = get_code


def serve() -> None:
    """Run what is asked for, one after the other, until the input ends."""
    prepare()
    for line in sys.stdin:
        print(forked(partial(play, json.loads(line))), flush=True)


def play(asked: dict[str, Any]) -> None:
    """Be ansible-playbook, which ends this process."""
    for descriptor, path in enumerate((os.devnull, asked["out"], asked["err"])):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), descriptor)
    os.environ.update(asked["environment"])
    ForkingPlaybook.cli_executor(["ansible-playbook", *asked["arguments"]])


def forked(work: Callable[[], None]) -> int:
    """Run *work* in a fork of this process and return its status; what is registered for the end of this one stays."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except SystemExit as exc:
            status = int(exc.code or 0)
        finally:
            if sys.exc_info()[1]:
                traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def prepare() -> None:
    """Import what plays and modules import, and read the descriptions of the services once."""
    constants.DEFAULT_INTERNAL_POLL_INTERVAL = 0.01
    init_plugin_loader()
    cli.init_plugin_loader = lambda _paths: None
    keep_compiled(_AnsibleCollectionPkgLoaderBase)
    for loader in (action_loader, connection_loader, filter_loader, lookup_loader, shell_loader, test_loader):
        list(loader.all(class_only=True))
    for folder in ("filter", "lookup", "modules"):
        for path in sorted((CHECKOUT / "plugins" / folder).glob("*.py")):
            import_module(f"{OURS}.{folder}.{path.stem}")
    botocore.session.create_loader = cache(botocore.session.create_loader)
    for service in ("kms", "sts"):
        boto3.session.Session().client(service, region_name="eu-central-1")
    gc.freeze()
    gc.disable()  # or each of many short forks would copy what it collects over


def note(
    *, module_path: str, module_args: dict[str, Any], environment: dict[str, str], **_rest: object
) -> _BuiltModule:
    """Return what to do in place of the archive that Ansible would send."""
    told = {"path": module_path, "args": module_args, "environment": environment}
    return _BuiltModule(
        b_module_data=MARK + json.dumps(told, default=str).encode(),
        module_style="new",
        shebang=f"#!{sys.executable}",
        serialization_profile="legacy",
    )


def forking(ordinary: Execute) -> Execute:
    """Return what executes modules in forks, and commands such as mkdir as before."""

    def execute(connection: Any, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> Any:
        if in_data is None or not in_data.startswith(MARK):
            return ordinary(connection, cmd, in_data, sudoable)
        return fork(json.loads(in_data.removeprefix(MARK)))

    return execute


def fork(told: dict[str, Any]) -> tuple[int, bytes, bytes]:
    """Run one module, and return its status and what it wrote."""
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        return forked(lambda: run(told, out, err)), read(out), read(err)


def run(told: dict[str, Any], out: IO[str], err: IO[str]) -> None:
    """Run one module in this process, which then ends; what is registered for the end is the module's alone."""
    atexit._clear()
    os.environ.update(told["environment"])
    sys.argv, sys.stdout, sys.stderr = [told["path"]], out, err
    try:
        with patch_module_args(told["args"]):
            execute_file(told["path"])
    finally:
        atexit._run_exitfuncs()


def execute_file(path: str) -> None:
    """Execute a file as the program; runpy would ask the importers of Ansible, which do not know it as one."""
    spec = spec_from_file_location("__main__", path)
    if not spec or not spec.loader:
        raise ImportError(path)
    spec.loader.exec_module(module_from_spec(spec))


def read(file: IO[str]) -> bytes:
    file.seek(0)
    return file.read().encode()


if __name__ == "__main__":
    serve()
