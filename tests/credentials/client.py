"""Reads credentials as the `openstack` client does, by its own code, and logs in with them.

One line of JSON in for each case: its name, its variables and its working folder. One line out: what the client took
from them, or how it refused. Each case runs in a child of its own, since the client reads its environment when it is
imported.
"""

import importlib
import json
import logging
import os
import signal
import sys
import warnings

warnings.simplefilter("ignore")

import openstack.connection  # noqa: E402, F401
import requests  # noqa: E402
from keystoneauth1 import session  # noqa: E402
from openstack.config import loader  # noqa: E402
from openstackclient import shell  # noqa: E402
from osc_lib.command import command  # noqa: E402

CHILDREN = 4
CHILD_SECONDS = 60
CHILD_ATTEMPTS = 2
# What the client raises by mistake, not to tell its user something.
CRASHES = (AttributeError, TypeError, KeyError, IndexError, ValueError, AssertionError)


class Login(command.Command):
    """Needs a login, and does nothing with it."""

    def take_action(self, parsed_args):
        pass


class Shell(shell.OpenStackShell):
    """The client without its commands, which take most of its time and read no credentials."""

    def _load_plugins(self):
        pass

    def _load_commands(self):
        pass


def read(case):
    os.environ.clear()
    os.environ.update(case["variables"])
    os.chdir(case["folder"])
    # The places where files are looked for are worked out at import.
    importlib.reload(loader)
    app = Shell()
    app.options, _ = app.parser.parse_known_args([])
    app.configure_logging()
    logging.disable(logging.CRITICAL)
    app.initialize_app([])
    app.prepare_to_run_command(Login(app, None))
    manager = app.client_manager
    manager.auth_ref  # logs in
    config = manager._cli_options
    verify, cert = config.get_requests_verify_args()
    # What the HTTP library makes of it, which reads variables of its own.
    merged = requests.Session().merge_environment_settings("https://h/", {}, None, verify, None)
    connection = manager.sdk_connection

    def endpoint(service):
        # As a command of the client asks: `endpoint_for` passes the service's type and name over.
        url = connection.config.get_session_client(service).get_endpoint()
        # As a call does it where an address is set.
        return url % session._StringFormatter(manager.session, None) if url and "%(" in url else url

    return {
        "auth_type": config.config["auth_type"],
        "region": config.region_name or "",
        "verify": merged["verify"],
        "cert": list(cert) if isinstance(cert, tuple) else [cert] if cert else [],
        "heat": endpoint("orchestration"),
        "nova": endpoint("compute"),
    }


def answer(case):
    try:
        said = read(case)
    except BaseException as error:  # SystemExit too: argparse ends so
        kind = "crashed" if isinstance(error, CRASHES) else "refused"
        said = {kind: f"{type(error).__name__}: {error}"}
    return json.dumps({"name": case["name"], **said})


def start(case):
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        signal.alarm(CHILD_SECONDS)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        with os.fdopen(theirs, "w") as out:
            out.write(answer(case))
        os._exit(0)
    os.close(theirs)
    return child, os.fdopen(ours)


def collect(case, child, said):
    for _ in range(CHILD_ATTEMPTS):
        with said:
            line = said.read()
        os.waitpid(child, 0)
        if line:
            print(line, flush=True)
            return
        child, said = start(case)
    raise SystemExit(f"{case['name']}: no answer")


def main():
    cases = [json.loads(line) for line in sys.stdin]
    Shell()  # finds the kinds of logins, once for all children
    running = []
    for case in cases:
        if len(running) == CHILDREN:
            collect(*running.pop(0))
        running.append((case, *start(case)))
    for one in running:
        collect(*one)


if __name__ == "__main__":
    main()
