"""What the openstack client asks of a plugin: its name, its options, and the client of its API."""

from osc_lib import utils

from stampede_openstackclient import client

API_NAME = "stampede"
API_VERSION_OPTION = "os_stampede_api_version"
DEFAULT_API_VERSION = "1"
API_VERSIONS = {"1": "stampede_openstackclient.client.HostClient"}


def make_client(instance):
    """The client of one command, which sends what the session has: its token, its CA file."""
    settings = instance.get_configuration()
    return client.HostClient(
        session=instance.session,
        # The first name is that of clouds.yaml.
        endpoint=settings.get("stampede_endpoint_override") or settings.get("stampede_endpoint"),
        region_name=instance.region_name,
        interface=instance.interface,
    )


def build_option_parser(parser):
    """Adds the options that stand before the command."""
    parser.add_argument(
        "--os-stampede-endpoint",
        metavar="<url>",
        default=utils.env("OS_STAMPEDE_ENDPOINT"),
        help="URL of the Stampede host; without it the catalog's service of the type "
        f"`{client.SERVICE_TYPE}` (Env: OS_STAMPEDE_ENDPOINT)",
    )
    parser.add_argument(
        "--os-stampede-api-version",
        metavar="<version>",
        default=utils.env("OS_STAMPEDE_API_VERSION", default=DEFAULT_API_VERSION),
        help=f"Version of its API (Env: OS_STAMPEDE_API_VERSION, default {DEFAULT_API_VERSION})",
    )
    return parser
