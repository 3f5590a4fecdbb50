# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make demo`: one YAML file becomes a tree of authorities and certificates, on an AWS of this machine's own."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import yaml  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_private_key

from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree import Tree, load_tree
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_entries import Entry
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_options import AUTHORITY
from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import spec_of_public_key
from localaws.server import Server, running
from tests.harness.environment import environment
from tests.harness.operators import make_operator

CHECKOUT = Path(__file__).resolve().parent.parent
EXAMPLE = CHECKOUT / "examples" / "acme"
HERE = CHECKOUT / "build" / "demo"
LOG = HERE / "ansible.log"
PKI = HERE / "pki"
LOCK = HERE.with_suffix(".lock")
MARK = "ROOTSTOCK_DEMO"
TASK = re.compile(r"^TASK \[(?:\S+ : )?(?P<name>.+?)\] \**$")
RECAP = re.compile(r"^localhost .* changed=(?P<changed>\d+) .* failed=(?P<failed>\d+) ")


class DemoError(Exception):
    """What should have worked and did not, in one sentence."""


@dataclass(frozen=True)
class Aws:
    """The local AWS and who we are there: a role with the permissions of the example, never root."""

    server: Server
    environment: dict[str, str]

    def sign_calls(self) -> int:
        return self.server.count("kms:Sign")


def main() -> int:
    started = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        require("openssl")
        with alone():
            prepare()
            with running() as server:
                show(enter(server))
    except (DemoError, OSError, RuntimeError) as problem:
        print(f"\nThe demo failed: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe demo was stopped.", file=sys.stderr)
        return 130
    say("What to look at next", *next_steps())
    print(f"\nAll of it took {time.monotonic() - started:.0f} s. The local AWS is stopped, its keys are gone.")
    return 0


def show(aws: Aws) -> None:
    tree = read_tree()
    say("Bootstrap: the keys are made in KMS, the certificates issued, issuers first")
    bootstrap(aws)
    say("Bootstrap again: nothing changes")
    if bootstrap(aws, quiet=True) != 0:
        raise DemoError(f"the second run changed something; see {LOG}")
    say("The tree")
    print_tree(tree)
    say("Every chain, checked by openssl verify -x509_strict")
    verify_chains(tree)
    say("A file, signed with the document signer's key")
    sign_and_tamper(aws)
    say("A folder, signed as a release with the code signer's key")
    release_and_tamper(aws)
    say("Private keys on this disk")
    print(f"  none below {shown(PKI)} ({count_files_without_keys()} files read)")


def say(title: str, *lines: str) -> None:
    print("\n".join([f"\n{title}", *(f"  {line}" for line in lines)]), flush=True)


def shown(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


# What stands before the first run


def require(tool: str) -> None:
    if shutil.which(tool) is None:
        raise DemoError(f"the command {tool} is missing; install it and run the demo again")


@contextmanager
def alone() -> Iterator[None]:
    """Keep other demos out of the folder, and stop what one that was killed left running in it."""
    HERE.parent.mkdir(exist_ok=True)
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as taken:
            raise DemoError(f"another demo is running in {CHECKOUT}; wait until it is done") from taken
        stop_all_marked()
        yield


def stop_all_marked() -> None:
    """Stop what demos in this folder started: the workers of Ansible outlive an Ansible that is killed."""
    for process in Path("/proc").glob("[0-9]*"):
        if f"{MARK}={HERE}".encode() in variables_of(process):
            with suppress(ProcessLookupError):
                os.kill(int(process.name), signal.SIGKILL)


def variables_of(process: Path) -> list[bytes]:
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:  # it ended, or belongs to somebody else
        return []


def prepare() -> None:
    """Begin with an empty folder that holds the inventory and what others made."""
    if HERE.exists():
        shutil.rmtree(HERE)
    HERE.mkdir()
    shutil.copy(EXAMPLE / "inventory.yml", HERE)
    made = make_what_others_make(HERE)
    say("Made by others, with openssl", *map(shown, made))


def make_what_others_make(folder: Path) -> list[Path]:
    """Make, outside the PKI's folder, two keys of others, and from them what they send: a CSR and a public key."""
    keys, sent = folder / "others", folder / "csr"
    keys.mkdir(mode=0o700)
    sent.mkdir()
    for name in ("web", "billing"):
        curve = ("-pkeyopt", "ec_paramgen_curve:P-256")
        openssl("genpkey", "-algorithm", "EC", *curve, "-out", keys / f"{name}.key")
    csr, public_key = sent / "web.csr", sent / "billing.pub.pem"
    openssl("req", "-new", "-key", keys / "web.key", "-subj", "/O=Acme/CN=web.acme.internal", "-out", csr)
    openssl("pkey", "-in", keys / "billing.key", "-pubout", "-out", public_key)
    return [csr, public_key]


def enter(server: Server) -> Aws:
    """Return the local AWS as somebody sees it who may do what examples/iam-policy.json says, and nothing else."""
    operator = make_operator(server.endpoint)
    say("A local AWS runs", f"{server.endpoint}, as {operator.arn}")
    return Aws(
        server, {**environment(), **operator.environment(), "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml", MARK: str(HERE)}
    )


def read_tree() -> Tree:
    variables = yaml.safe_load((HERE / "inventory.yml").read_text())["all"]["vars"]
    return load_tree(variables["pki_authorities"], variables["pki_certificates"], variables["pki_name"])


# Running Ansible


def bootstrap(aws: Aws, quiet: bool = False) -> int:
    """Run the playbook and return how many tasks changed something."""
    before, started = aws.sign_calls(), time.monotonic()
    changed = play(aws, "rootstock.pki.bootstrap", quiet=quiet)
    seconds = time.monotonic() - started
    print(f"  changed={changed}, {aws.sign_calls() - before} calls of kms:Sign, {seconds:.0f} s")
    return changed


def play(aws: Aws, playbook: str, *arguments: str, quiet: bool = False) -> int:
    command = ["ansible-playbook", "-i", str(HERE / "inventory.yml"), playbook, *arguments]
    with subprocess.Popen(
        command,
        cwd=HERE,
        env=aws.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            lines = list(logged(process.stdout or iter(()), quiet))
            process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                stop_all_marked()
    recap = next((found for line in lines if (found := RECAP.match(line))), None)
    if process.returncode or recap is None:
        raise DemoError(f"{playbook} ended with status {process.returncode}:\n{''.join(lines[-25:])}(all of it: {LOG})")
    return int(recap["changed"])


def logged(lines: Iterator[str], quiet: bool) -> Iterator[str]:
    """Pass *lines* on and into the log; say of each task how many things it changed."""
    task, changed = "", 0
    with LOG.open("a", encoding="utf-8") as log:
        for line in lines:
            log.write(line)
            begun = TASK.match(line)
            if begun or line.startswith("PLAY RECAP"):
                if changed and not quiet:
                    print(f"  {task:48} {changed:2}", flush=True)
                task, changed = begun["name"] if begun else "", 0
            changed += line.startswith("changed: ")
            yield line


# Looking at what came out


def certificate_of(entry: Entry) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path_of(entry).read_bytes())


def path_of(entry: Entry) -> Path:
    return PKI / entry.name / "ca.pem" if entry.kind == AUTHORITY else PKI / "certificates" / f"{entry.name}.pem"


def entries_downwards(tree: Tree) -> Iterator[tuple[int, Entry]]:
    """Yield each root followed by what is below it, with its depth."""
    for root in (entry for entry in tree.entries if not entry.issuer):
        yield from below(tree, root, 0)


def below(tree: Tree, entry: Entry, depth: int) -> Iterator[tuple[int, Entry]]:
    yield depth, entry
    for child in tree.entries if entry.kind == AUTHORITY else ():
        if child.issuer == entry.name:
            yield from below(tree, child, depth + 1)


def print_tree(tree: Tree) -> None:
    for depth, entry in entries_downwards(tree):
        certificate = certificate_of(entry)
        name = "  " * depth + entry.name
        where = f"alias/{entry.alias}" if entry.alias else "(not in KMS)"
        spec = spec_of_public_key(certificate.public_key())
        print(f"  {name:20} {spec:14} {where:30} until {certificate.not_valid_after_utc:%Y-%m-%d}")


def verify_chains(tree: Tree) -> None:
    for _depth, entry in entries_downwards(tree):
        *between, root = list(tree.upwards(entry)) or [entry]
        if root.key_spec.startswith("ML_DSA"):
            # The openssl command knows ML-DSA from 3.5 on; cryptography brings its own.
            certificate_of(entry).verify_directly_issued_by(certificate_of(next(tree.upwards(entry), entry)))
            print(f"  {entry.name}: OK (ML-DSA, by cryptography)")
            continue
        untrusted = [part for authority in between for part in ("-untrusted", path_of(authority))]
        anchor = PKI / "trust" / f"{root.name}.pem"
        openssl("verify", "-x509_strict", "-CAfile", anchor, *untrusted, path_of(entry))
        print(f"  {entry.name}: OK")


def sign_and_tamper(aws: Aws) -> None:
    document, signature, key = HERE / "report.txt", HERE / "report.txt.sig", HERE / "document-signer.pub.pem"
    document.write_text("Pay 100 to Alice.\n")
    play(aws, str(EXAMPLE / "sign.yml"), "--extra-vars", f"src={document}", quiet=True)
    certificate = PKI / "certificates" / "document-signer.pem"
    openssl("x509", "-in", certificate, "-noout", "-pubkey", "-out", key)
    bare = ("dgst", "-sha512", "-verify", key, "-signature", signature, document)
    anchor = ("-CAfile", PKI / "trust" / "root.pem", "-purpose", "any")
    read = ("-binary", "-inform", "DER", "-in", HERE / "report.txt.p7s", "-content", document, "-out", os.devnull)
    message = ("cms", "-verify", *read, *anchor)
    print(f"  openssl dgst -sha512 -verify: {openssl(*bare)}")
    print(f"  openssl cms -verify:          {openssl(*message)}")
    document.write_text("Pay 900 to Alice.\n")
    print(f"  after one changed digit:      {refusal(bare, 1, 'Verification failure')}")
    print(f"                                {refusal(message, 4, 'CMS Verification failure')}")


def refusal(command: Sequence[str | Path], status: int, words: str) -> str:
    """Return what openssl says first of something that was tampered with."""
    answer = openssl(*command, expected=status)
    if words not in answer:
        raise DemoError(f"openssl says of a file that was tampered with: {answer}")
    return answer.splitlines()[0]


def release_and_tamper(aws: Aws) -> None:
    release = HERE / "acme-4.2"
    for name in ("acme-4.2.tar.gz", "docs/manual.txt"):
        (release / name).parent.mkdir(parents=True, exist_ok=True)
        (release / name).write_text(f"This is {name}.\n")
    play(aws, str(EXAMPLE / "release.yml"), "--extra-vars", f"dir={release}", quiet=True)
    print(f"  sh verify.sh root.pem:        {verify_release(release, 0)}")
    (release / "docs" / "manual.txt").write_text("This is something else.\n")
    print(f"  after a changed file:         {verify_release(release, 1)}")


def verify_release(release: Path, expected: int) -> str:
    """Run the script of a release and return what it says."""
    command = ["sh", str(release / "verify.sh"), str(PKI / "trust" / "root.pem")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr).strip()
    if done.returncode != expected:
        raise DemoError(f"{shown(release)}/verify.sh ended with {done.returncode}: {said}")
    return said


def count_files_without_keys() -> int:
    files = [path for path in PKI.rglob("*") if path.is_file()]
    if not files:
        raise DemoError(f"{PKI} is empty")
    found = [str(path) for path in files if holds_private_key(path.read_bytes())]
    if found:
        raise DemoError(f"private keys lie on the disk: {', '.join(found)}")
    return len(files)


def holds_private_key(content: bytes) -> bool:
    if b"PRIVATE KEY" in content:
        return True
    try:
        load_der_private_key(content, None)
    except (ValueError, TypeError):
        return False
    return True


def openssl(*arguments: str | Path, expected: int = 0) -> str:
    """Run openssl and return what it says."""
    command: Sequence[str] = ["openssl", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != expected:
        raise DemoError(f"{' '.join(command)}\nended with {done.returncode}: {done.stdout}{done.stderr}".strip())
    return (done.stdout + done.stderr).strip()


def next_steps() -> list[str]:
    things = {
        f"{shown(HERE)}/inventory.yml": "the YAML file it all came from",
        f"{shown(PKI)}/certificates/web.fullchain.pem": "what a TLS server is given, beside the key it made itself",
        f"{shown(PKI)}/services/ledger.jsonl": "what the authority signed, written down before it was signed",
        f"{shown(HERE)}/acme-4.2": "a release that whoever has the root checks with its verify.sh",
        f"openssl x509 -in {shown(PKI)}/services/ca.pem -noout -text": "the constraints it lives under",
        "make aws": "a local AWS that stays, for an inventory in a new folder: the keys of this one are gone",
    }
    width = max(map(len, things))
    return [f"{thing:{width}}  {why}" for thing, why in things.items()]


if __name__ == "__main__":
    sys.exit(main())
