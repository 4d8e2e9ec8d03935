//! Limits on what a request may ask for, by name. Those of one attribute are in force by its row of
//! [`super::attribute_schema`]; limits of a cloud or of a plugin stand in their own modules.

/// Fewest nodes of a group.
pub const MIN_GROUP_NODES: u32 = 1;
/// Most nodes of a group.
pub const MAX_GROUP_NODES: u32 = 250;
/// Most nodes of a cluster, over all its groups: what one stack holds on Heat's default limits.
pub const MAX_CLUSTER_NODES: u32 = 251;
/// The highest id of a node in its group, over all that there ever were: every node knows so many by
/// name from the start (`templates/node/frame.sh`).
pub const MAX_NODE_ID: u32 = 500;
/// Node groups of a cluster.
pub const MAX_GROUPS: usize = 8;
/// Characters of a group's name: a server is called by cluster, group and id, and the longest of
/// these is a host name, which has 63 at most.
pub const MAX_GROUP_NAME_CHARS: usize = 16;
/// Components that are named for one group.
pub const MAX_GROUP_COMPONENTS: usize = 64;
/// Endpoints in `network.open`; each opens a port to every CIDR of `network.access`.
pub const MAX_OPEN_ENDPOINTS: usize = 32;
/// The most that one framework gets of a node's memory, in percent.
pub const MAX_MEMORY_SHARE: u32 = 100;
/// GiB of the volume for data that a node has.
pub const MAX_VOLUME_GIB: u32 = 16_384;
/// GiB of the volume that a node boots from.
pub const MAX_ROOT_VOLUME_GIB: u32 = 16_384;
/// The highest generation of a step: a change takes some dozen, and what a stack or a node says
/// beyond it, nobody has given out.
pub const MAX_GENERATION: u32 = 1_000_000;
/// Generations below it that are kept for the way back.
pub const SPARE_GENERATIONS: u32 = 1_000;
/// Characters of a cluster's name; with a node's name behind it a host name has 63 at most.
pub const MAX_NAME_CHARS: usize = 40;
/// Frameworks in one cluster.
pub const MAX_FRAMEWORKS: usize = 16;
/// Attributes named `stampede.*` in one request.
pub const MAX_ATTRIBUTES: usize = 256;
/// Bytes of one attribute's value.
pub const MAX_VALUE_BYTES: usize = 8 * 1024;
/// Characters of the name of a flavor, an image, a key pair or a network: what Nova, Glance and
/// Neutron hold.
pub const MAX_CLOUD_NAME_CHARS: usize = 255;
/// Bytes of a mirror's or a proxy's URL.
pub const MAX_URL_BYTES: usize = 2_048;
/// Tarballs of Java in `java.tarballs`, each of another version.
pub const MAX_JAVA_TARBALLS: usize = 8;
/// The newest version of Java that can be named, in requests and by plugins.
pub const MAX_JAVA_VERSION: u32 = 999;
/// CIDRs in `network.access`; each opens every admin and public port once.
pub const MAX_ACCESS_CIDRS: usize = 16;
/// Shortest `timeout` in seconds.
pub const MIN_TIMEOUT_S: u32 = 60;
/// Longest `timeout` in seconds: what a wait condition of Heat takes.
pub const MAX_TIMEOUT_S: u32 = 43_200;
/// The largest network, as a prefix length.
pub const MIN_PREFIX: u8 = 8;
/// The smallest network, as a prefix length.
pub const MAX_PREFIX: u8 = 27;
/// The address of the first node of the first group is this much above the network's.
pub const FIRST_NODE_OFFSET: u32 = 10;
/// Addresses at the end of the network that are the cloud's own (DHCP, metadata): an eighth of it,
/// this many at most.
pub const MAX_SPARE_ADDRESSES: u32 = 32;
