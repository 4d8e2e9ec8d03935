"""Commands that list: clusters, what their nodes have said, frameworks."""

from osc_lib import utils
from osc_lib.cli import format_columns
from osc_lib.command import command


def rows(items, fields, columns=None):
    """The fields of each, some in a form of their own."""
    columns = columns or {}
    return [utils.get_dict_properties(item, fields, formatters=columns) for item in items]


class ListClusters(command.Lister):
    """List the project's clusters"""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument("--state", metavar="<state>", help="Only those in this state")
        parser.add_argument("--framework", metavar="<framework>", help="Only those with this framework")
        parser.add_argument("--name", metavar="<part>", help="Only those whose name has this in it")
        parser.add_argument("--long", action="store_true", help="With more columns")
        return parser

    def take_action(self, parsed_args):
        filters = {
            "state": parsed_args.state,
            "framework": parsed_args.framework,
            "name": parsed_args.name,
        }
        found = self.app.client_manager.stampede.clusters(filters)
        names = ["Name", "State", "Frameworks", "Nodes", "Created At"]
        fields = ["name", "state", "frameworks", "node_counts", "created_at"]
        if parsed_args.long:
            names += ["ID", "Region", "Failure"]
            fields += ["id", "region", "failure"]
        columns = {"frameworks": format_columns.ListColumn, "node_counts": format_columns.DictColumn}
        return names, rows(found, fields, columns)


class ListEvents(command.Lister):
    """List what the nodes of a cluster have said, the newest of each node last"""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument("name", metavar="<name>", help="The cluster's name")
        return parser

    def take_action(self, parsed_args):
        found = self.app.client_manager.stampede.show(parsed_args.name)
        fields = ["node", "plugin", "stage", "outcome", "seconds", "text"]
        return [field.capitalize() for field in fields], rows(found["stages"], fields)


class ListFrameworks(command.Lister):
    """List the frameworks that clusters can run"""

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument("--long", action="store_true", help="With what they need of others, and bring")
        return parser

    def take_action(self, parsed_args):
        found = self.app.client_manager.stampede.frameworks()
        names, fields = ["Name", "Title", "Versions"], ["name", "title", "versions"]
        if parsed_args.long:
            names += ["Requires", "Uses", "Provides", "Description"]
            fields += ["requires", "uses", "provides", "description"]
        lists = ("versions", "requires", "uses", "provides")
        return names, rows(found, fields, dict.fromkeys(lists, format_columns.ListColumn))
