//! The resource types that plugins may add, and what each of their properties may hold: one table.
//! What is not in it is refused, since Heat finds most things by name or id in the user's whole
//! project: a property too many is a way out of the cluster. `resource_check`
//! holds resources to it.
//!
//! To add a type or a property, read in Heat what the property accepts. If it may name something
//! that was there before the cluster, it is [`ValueRule::Own`] or [`ValueRule::Granted`].

/// A resource type that plugins may add.
#[derive(Debug)]
pub struct TypeRule {
    /// As templates name it.
    pub name: &'static str,
    /// Whether only the plugin `cluster` may add it.
    pub cluster_alone: bool,
    /// Whether it may stay when the cluster is deleted.
    pub may_stay: bool,
    /// All that it may be given.
    pub properties: &'static [PropertyRule],
    /// Attributes that anyone may read.
    pub shown: &'static [&'static str],
    /// Attributes that the cluster's own nodes alone may read.
    pub secret: &'static [&'static str],
}

/// A property that a resource may have.
#[derive(Debug)]
pub struct PropertyRule {
    /// Its name.
    pub name: &'static str,
    /// Without it Heat or the service would take something of the project's.
    pub needed: bool,
    /// What it may be.
    pub holds: ValueRule,
}

/// The largest number that a property may be: the services keep them as signed integers of 32 bits.
pub const LARGEST_NUMBER: u64 = 0x7fff_ffff;

/// What a value in a template may be.
#[derive(Clone, Copy, Debug)]
pub enum ValueRule {
    /// Any text, number, list or map that names nothing, computed too; nothing secret.
    Data,
    /// As [`Self::Data`]; secrets and files too: only the cluster's own nodes read it.
    NodeData,
    /// A map, written out, whose values are [`Self::Data`].
    Texts,
    /// One of these texts, written out.
    Word(&'static [&'static str]),
    /// A whole number up to [`LARGEST_NUMBER`], written out: it is counted, or compared.
    Number,
    /// A text that begins with the cluster's name, so that it hides nothing else of the project.
    Name,
    /// `get_resource` of a resource of this type.
    Own(&'static str),
    /// The same, or a text that the user gave the plugin.
    OwnOrSetting(&'static str),
    /// What the request names.
    Granted(ValueGrant),
    /// A list, written out and not empty.
    List(&'static ValueRule),
    /// A map, written out, of these keys.
    Map(&'static [PropertyRule]),
}

/// What a request lets its plugins name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueGrant {
    /// The image of a node group.
    Image,
    /// The flavor of a node group.
    Flavor,
    /// The key pair, or none.
    Key,
    /// The network that leads outside.
    ExternalNetwork,
    /// The addresses of the cluster's own network.
    Cidr,
    /// The address of a node.
    NodeAddress,
    /// How nodes signal.
    SignalTransport,
    /// A text that the user gave the plugin as a setting.
    Setting,
}

const fn may(name: &'static str, holds: ValueRule) -> PropertyRule {
    PropertyRule {
        name,
        needed: false,
        holds,
    }
}

const fn must(name: &'static str, holds: ValueRule) -> PropertyRule {
    PropertyRule {
        name,
        needed: true,
        holds,
    }
}

/// A type of the plugin `cluster` alone.
const fn cluster_type(
    name: &'static str,
    properties: &'static [PropertyRule],
    shown: &'static [&'static str],
) -> TypeRule {
    TypeRule {
        name,
        cluster_alone: true,
        may_stay: false,
        properties,
        shown,
        secret: &[],
    }
}

pub(super) const SERVER: &str = "OS::Nova::Server";
pub(super) const PORT: &str = "OS::Neutron::Port";
pub(super) const SECURITY_GROUP: &str = "OS::Neutron::SecurityGroup";
pub(super) const RULE: &str = "OS::Neutron::SecurityGroupRule";
pub(super) const WAIT_CONDITION: &str = "OS::Heat::WaitCondition";
pub(super) const STACK_VALUE: &str = "OS::Heat::Value";
const NET: &str = "OS::Neutron::Net";
const SUBNET: &str = "OS::Neutron::Subnet";
const ROUTER: &str = "OS::Neutron::Router";
const SERVER_GROUP: &str = "OS::Nova::ServerGroup";
pub(super) const VOLUME: &str = "OS::Cinder::Volume";
pub(super) const VOLUME_ATTACHMENT: &str = "OS::Cinder::VolumeAttachment";
pub(super) const WAIT_CONDITION_HANDLE: &str = "OS::Heat::WaitConditionHandle";

/// Every type that plugins may add.
pub const TYPES: &[TypeRule] = &[
    TypeRule {
        name: VOLUME,
        cluster_alone: true,
        may_stay: true,
        properties: &[
            must("size", ValueRule::Number),
            may("name", ValueRule::Name),
            may("description", ValueRule::Data),
            may("metadata", ValueRule::Texts),
            may("volume_type", ValueRule::Granted(ValueGrant::Setting)),
            may("availability_zone", ValueRule::Granted(ValueGrant::Setting)),
        ],
        shown: &["size", "status", "volume_type", "availability_zone"],
        secret: &[],
    },
    TypeRule {
        name: VOLUME_ATTACHMENT,
        cluster_alone: true,
        may_stay: false,
        properties: &[
            must("instance_uuid", ValueRule::Own(SERVER)),
            must("volume_id", ValueRule::OwnOrSetting(VOLUME)),
            may("mountpoint", ValueRule::Data),
        ],
        shown: &[],
        secret: &[],
    },
    // Its attribute `value` is as secret as what it holds.
    TypeRule {
        name: STACK_VALUE,
        cluster_alone: false,
        may_stay: false,
        properties: &[
            must("value", ValueRule::NodeData),
            may(
                "type",
                ValueRule::Word(&[
                    "string",
                    "number",
                    "comma_delimited_list",
                    "json",
                    "boolean",
                ]),
            ),
        ],
        shown: &["value"],
        secret: &[],
    },
    cluster_type(
        NET,
        &[
            may("name", ValueRule::Name),
            may(
                "value_specs",
                ValueRule::Map(&[may("mtu", ValueRule::Number)]),
            ),
        ],
        &["name", "mtu", "status"],
    ),
    cluster_type(
        SUBNET,
        &[
            may("name", ValueRule::Name),
            must("network", ValueRule::Own(NET)),
            must("cidr", ValueRule::Granted(ValueGrant::Cidr)),
            may("ip_version", ValueRule::Number),
            may("gateway_ip", ValueRule::Data),
            may("allocation_pools", ValueRule::Data),
            may("dns_nameservers", ValueRule::Data),
            may("enable_dhcp", ValueRule::Data),
        ],
        &["name", "cidr", "gateway_ip"],
    ),
    cluster_type(
        ROUTER,
        &[
            may("name", ValueRule::Name),
            may(
                "external_gateway_info",
                ValueRule::Map(&[must(
                    "network",
                    ValueRule::Granted(ValueGrant::ExternalNetwork),
                )]),
            ),
        ],
        &["name", "status"],
    ),
    cluster_type(
        "OS::Neutron::RouterInterface",
        &[
            must("router", ValueRule::Own(ROUTER)),
            must("subnet", ValueRule::Own(SUBNET)),
        ],
        &[],
    ),
    cluster_type(
        SECURITY_GROUP,
        &[
            may("name", ValueRule::Name),
            may("description", ValueRule::Data),
            // Only the group's own nodes: with this mode and no group named, Heat takes the group
            // itself. Whoever else is let in has a resource of its own.
            may(
                "rules",
                ValueRule::List(&ValueRule::Map(&[
                    must("remote_mode", ValueRule::Word(&["remote_group_id"])),
                    may("direction", ValueRule::Word(&["ingress"])),
                    may("ethertype", ValueRule::Word(&["IPv4"])),
                ])),
            ),
        ],
        &["name"],
    ),
    cluster_type(
        "OS::Neutron::FloatingIP",
        &[
            must(
                "floating_network",
                ValueRule::Granted(ValueGrant::ExternalNetwork),
            ),
            must("port_id", ValueRule::Own(PORT)),
        ],
        &["floating_ip_address", "fixed_ip_address"],
    ),
    cluster_type(
        PORT,
        &[
            may("name", ValueRule::Name),
            must("network", ValueRule::Own(NET)),
            may(
                "fixed_ips",
                ValueRule::List(&ValueRule::Map(&[
                    must("subnet", ValueRule::Own(SUBNET)),
                    may("ip_address", ValueRule::Granted(ValueGrant::NodeAddress)),
                ])),
            ),
            // Without one, Neutron takes the project's own group.
            must(
                "security_groups",
                ValueRule::List(&ValueRule::Own(SECURITY_GROUP)),
            ),
        ],
        &["name", "fixed_ips", "mac_address", "status"],
    ),
    cluster_type(
        SERVER,
        &[
            may("name", ValueRule::Name),
            may("image", ValueRule::Granted(ValueGrant::Image)),
            // In its place: a volume that is made of the image with the server.
            may(
                "block_device_mapping_v2",
                ValueRule::List(&ValueRule::Map(&[
                    must("image", ValueRule::Granted(ValueGrant::Image)),
                    must("volume_size", ValueRule::Number),
                    may("boot_index", ValueRule::Number),
                    may("delete_on_termination", ValueRule::Data),
                ])),
            ),
            may("availability_zone", ValueRule::Granted(ValueGrant::Setting)),
            must("flavor", ValueRule::Granted(ValueGrant::Flavor)),
            may("key_name", ValueRule::Granted(ValueGrant::Key)),
            // Without one, Nova takes a network of the project's.
            must(
                "networks",
                ValueRule::List(&ValueRule::Map(&[must("port", ValueRule::Own(PORT))])),
            ),
            may("metadata", ValueRule::Texts),
            // With another format Heat makes credentials of its own for the node.
            must("user_data_format", ValueRule::Word(&["RAW"])),
            may(
                "user_data_update_policy",
                ValueRule::Word(&["IGNORE", "REPLACE"]),
            ),
            must("user_data", ValueRule::NodeData),
            may(
                "scheduler_hints",
                ValueRule::Map(&[may("group", ValueRule::Own(SERVER_GROUP))]),
            ),
        ],
        &["name", "first_address", "addresses", "networks"],
    ),
    cluster_type(
        SERVER_GROUP,
        &[
            may("name", ValueRule::Name),
            may("policies", ValueRule::Data),
        ],
        &[],
    ),
    cluster_type(
        WAIT_CONDITION,
        &[
            must("handle", ValueRule::Own(WAIT_CONDITION_HANDLE)),
            must("timeout", ValueRule::Data),
            must("count", ValueRule::Number),
        ],
        &["data"],
    ),
    TypeRule {
        name: WAIT_CONDITION_HANDLE,
        cluster_alone: true,
        may_stay: false,
        properties: &[must(
            "signal_transport",
            ValueRule::Granted(ValueGrant::SignalTransport),
        )],
        shown: &[],
        secret: &["signal", "endpoint", "token", "curl_cli"],
    },
];

/// The rule of a type that plugins may add.
pub fn find_type(name: &str) -> Option<&'static TypeRule> {
    TYPES.iter().find(|rule| rule.name == name)
}
