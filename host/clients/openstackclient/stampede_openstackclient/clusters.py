"""Commands for one cluster: create, show, update, scale, upgrade, delete."""

import argparse

from osc_lib import exceptions
from osc_lib.cli import format_columns
from osc_lib.command import command

#: Before the name of every attribute, where a person writes it.
PREFIX = "stampede."
#: Fields of a cluster in the order in which they are shown, and how those that are no texts are.
FIELDS = {
    "name": None,
    "id": None,
    "state": None,
    "failure": None,
    "change": None,
    "warning": None,
    "frameworks": format_columns.ListColumn,
    "node_counts": format_columns.DictColumn,
    "region": None,
    "created_at": None,
    "revision": None,
    "attributes": format_columns.DictColumn,
    "stack": format_columns.DictColumn,
    "nodes": format_columns.ListDictColumn,
    "endpoints": format_columns.ListDictColumn,
    "services": format_columns.ListDictColumn,
    "deletion": None,
}
#: Of a dry run, what is too long for a terminal.
TOO_LONG = ("template", "files")


def as_record(cluster):
    """A cluster as the names and values of one record."""
    values = []
    for name, column in FIELDS.items():
        value = cluster[name]
        values.append(column(value) if column and value is not None else value)
    return tuple(FIELDS), tuple(values)


def as_dry_run(plan):
    """What would be done, as one record."""
    shown = {name: value for name, value in plan.items() if name not in TOO_LONG}

    def column(value):
        if isinstance(value, dict):
            return format_columns.DictColumn(value)
        if isinstance(value, list):
            is_texts = all(isinstance(item, str) for item in value)
            return (format_columns.ListColumn if is_texts else format_columns.ListDictColumn)(value)
        return value

    return tuple(shown), tuple(column(value) for value in shown.values())


def read_setting(text):
    """NAME=VALUE, with or without `stampede.` in front."""
    name, sign, value = text.partition("=")
    name = name.strip().removeprefix(PREFIX)
    if not (sign and name):
        raise argparse.ArgumentTypeError("must be NAME=VALUE, such as hadoop.replication=2")
    return name, value


def read_size(text):
    """`5` is so many workers, `compute=2` so many nodes of a group."""
    group, sign, number = text.rpartition("=")
    if not number.strip().isdecimal() or (sign and not group.strip()):
        raise argparse.ArgumentTypeError("must be a number, or GROUP=NUMBER, such as 5 or compute=2")
    return f"{group.strip()}.count" if sign else "workers", number.strip()


def add_wait(parser, about):
    """Options of a command that may wait."""
    parser.add_argument("--wait", action="store_true", help=about)
    parser.add_argument(
        "--timeout", type=int, metavar="<seconds>", help="With --wait: no longer than this; the work goes on"
    )


class ClusterCommand(command.ShowOne):
    """What commands that make or change a cluster share."""

    def add_settings(self, parser):
        parser.add_argument("--workers", type=int, metavar="<number>", help="How many workers")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            type=read_setting,
            metavar="<name=value>",
            help="Any attribute without `stampede.`: worker.flavor=m1.large, hadoop.replication=2; may be repeated",
        )

    @staticmethod
    def settings(parsed_args):
        attributes = {}
        if parsed_args.workers is not None:
            attributes["workers"] = parsed_args.workers
        attributes.update(parsed_args.set)
        return attributes

    @property
    def host(self):
        return self.app.client_manager.stampede

    def tell(self, line):
        """A line beside the answer."""
        self.app.stderr.write(line + "\n")

    def end(self, cluster, parsed_args):
        """The record of a cluster, once it stands still where that is waited for."""
        if not parsed_args.wait:
            return as_record(cluster)
        name = cluster["name"]
        followed = self.host.follow(name, parsed_args.timeout, self.tell)
        if followed["state"] != "active":
            raise exceptions.CommandError(f"`{name}` is {followed['state']}: {followed['failure'] or 'see its events'}")
        return as_record(followed)


class CreateCluster(ClusterCommand):
    """Create a cluster"""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument("name", metavar="<name>", help="The cluster's name")
        parser.add_argument(
            "--framework",
            action="append",
            required=True,
            metavar="<framework>",
            help="Frameworks, separated by commas; may be repeated",
        )
        self.add_settings(parser)
        parser.add_argument("--request-id", metavar="<id>", help="Makes the request one that may come again")
        parser.add_argument("--dry-run", action="store_true", help="Check and show it, and make nothing")
        add_wait(parser, "Wait until it is verified, and tell its progress")
        return parser

    def take_action(self, parsed_args):
        body = {
            "name": parsed_args.name,
            "attributes": {"framework": ",".join(parsed_args.framework), **self.settings(parsed_args)},
        }
        if parsed_args.request_id:
            body["request_id"] = parsed_args.request_id
        answer = self.host.create(body, parsed_args.dry_run)
        return as_dry_run(answer) if parsed_args.dry_run else self.end(answer, parsed_args)


class ShowCluster(ClusterCommand):
    """Show a cluster with everything that is known of it"""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument("name", metavar="<name>", help="The cluster's name")
        return parser

    def take_action(self, parsed_args):
        return as_record(self.host.show(parsed_args.name))


class ChangeCommand(ClusterCommand):
    """What commands that change a running cluster share."""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument("name", metavar="<name>", help="The cluster's name")
        parser.add_argument("--dry-run", action="store_true", help="Plan and show it, and change nothing")
        parser.add_argument(
            "--revision", metavar="<revision>", help="Only if nobody has asked for something else since this revision"
        )
        add_wait(parser, "Wait until the change has ended, and tell its progress")
        return parser

    def change(self, parsed_args, attributes):
        if not attributes:
            raise exceptions.CommandError("say what is to change: --workers, --set or --unset")
        answer = self.host.change(parsed_args.name, attributes, parsed_args.dry_run, parsed_args.revision)
        if parsed_args.dry_run:
            return as_dry_run(answer)
        names, values = self.end(answer, parsed_args)
        change = dict(zip(names, values))["change"]
        if parsed_args.wait and change:
            raise exceptions.CommandError(f"the change of `{parsed_args.name}`: {change}")
        return names, values


class UpdateCluster(ChangeCommand):
    """Change a running cluster: more or fewer nodes, other settings"""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        self.add_settings(parser)
        parser.add_argument(
            "--unset",
            action="append",
            default=[],
            metavar="<name>",
            help="Let what was said of an attribute go; may be repeated",
        )
        return parser

    def take_action(self, parsed_args):
        attributes = self.settings(parsed_args)
        attributes.update((name.removeprefix(PREFIX), None) for name in parsed_args.unset)
        return self.change(parsed_args, attributes)


class ScaleCluster(ChangeCommand):
    """Make groups of a running cluster larger or smaller"""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "sizes",
            nargs="+",
            type=read_size,
            metavar="<number|group=number>",
            help="How many workers, or how many nodes of a group",
        )
        return parser

    def take_action(self, parsed_args):
        return self.change(parsed_args, dict(parsed_args.sizes))


class UpgradeCluster(ChangeCommand):
    """Have a running cluster made of the plugins that the host has by now"""

    def take_action(self, parsed_args):
        return self.change(parsed_args, {"upgrade": "true"})


class DeleteCluster(command.Command):
    """Delete clusters and all that belongs to them"""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument("names", nargs="+", metavar="<name>", help="The clusters' names")
        add_wait(parser, "Wait until nothing is left of them")
        return parser

    def take_action(self, parsed_args):
        host, refused, deleted = self.app.client_manager.stampede, [], []
        for name in parsed_args.names:
            try:
                cluster_id = host.show(name)["id"]
                waits_for = host.delete(name)
            except exceptions.CommandError as error:
                refused.append(f"{name}: {error}")
                continue
            deleted.append((name, cluster_id))
            if waits_for:
                self.app.stderr.write(f"{name}: heat has not taken it yet: {waits_for}; it is asked again\n")
        for name, cluster_id in deleted if parsed_args.wait else []:
            host.follow_deletion(name, cluster_id, parsed_args.timeout)
        if refused:
            raise exceptions.CommandError("\n".join(refused))
