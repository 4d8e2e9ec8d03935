//! The attributes of the groups that every cluster has, under the names that people know: rows of
//! [`super::attribute_schema`].

use std::borrow::Cow;

use super::{
    attribute_value::{AttributeSchema, AttributeValue},
    default_groups::{MASTER, WORKER, WORKER_COUNT, WORKERS, WORKERS_TO_REMOVE},
    group_value::{GroupAttribute, GroupValue},
};

const fn row(
    name: &'static str,
    description: &'static str,
    group: &'static str,
    value: GroupValue,
) -> AttributeSchema {
    AttributeSchema {
        name: Cow::Borrowed(name),
        description: Cow::Borrowed(description),
        may_change: matches!(value, GroupValue::Count { .. }),
        value: AttributeValue::OfGroup(GroupAttribute {
            group: Cow::Borrowed(group),
            value,
        }),
    }
}

/// How many workers.
pub(super) const WORKER_COUNT_ROW: AttributeSchema = row(
    WORKERS,
    "how many workers",
    WORKER,
    GroupValue::Count {
        default: WORKER_COUNT,
    },
);

/// Which workers leave.
pub(super) const WORKERS_TO_REMOVE_ROW: AttributeSchema = row(
    WORKERS_TO_REMOVE,
    "in an update: the workers to take away, such as `worker-2`; by default the last ones",
    WORKER,
    GroupValue::Remove,
);

/// The master's flavor.
pub(super) const MASTER_FLAVOR_ROW: AttributeSchema = row(
    "master.flavor",
    "flavor of the master, name or id",
    MASTER,
    GroupValue::Flavor,
);

/// The workers' flavor.
pub(super) const WORKER_FLAVOR_ROW: AttributeSchema = row(
    "worker.flavor",
    "flavor of the workers, name or id",
    WORKER,
    GroupValue::Flavor,
);

/// The master's image.
pub(super) const MASTER_IMAGE_ROW: AttributeSchema = row(
    "master.image",
    "image of the master, name or id",
    MASTER,
    GroupValue::Image,
);

/// The workers' image.
pub(super) const WORKER_IMAGE_ROW: AttributeSchema = row(
    "worker.image",
    "image of the workers, name or id",
    WORKER,
    GroupValue::Image,
);

/// The master's availability zone.
pub(super) const MASTER_ZONE_ROW: AttributeSchema = row(
    "master.availability_zone",
    "availability zone of the master",
    MASTER,
    GroupValue::Zone,
);

/// The master's volume to boot from.
pub(super) const MASTER_ROOT_VOLUME_ROW: AttributeSchema = row(
    "master.root_volume_gib",
    "GiB of the volume that the master boots from; 0 for the flavor's own disk",
    MASTER,
    GroupValue::RootVolume,
);

/// The master's volume for data.
pub(super) const MASTER_VOLUME_ROW: AttributeSchema = row(
    "master.volume_gib",
    "GiB of the master's own volume, for what daemons keep; 0 for none",
    MASTER,
    GroupValue::Volume,
);

/// The workers' volumes for data.
pub(super) const WORKER_VOLUME_ROW: AttributeSchema = row(
    "worker.volume_gib",
    "GiB of a volume for each worker, for what daemons keep; 0 for none",
    WORKER,
    GroupValue::Volume,
);

/// The workers' availability zone.
pub(super) const WORKER_ZONE_ROW: AttributeSchema = row(
    "worker.availability_zone",
    "availability zone of the workers",
    WORKER,
    GroupValue::Zone,
);

/// What is on the master.
pub(super) const MASTER_COMPONENTS_ROW: AttributeSchema = row(
    "master.components",
    "components on the master, such as `namenode, resourcemanager`",
    MASTER,
    GroupValue::Components,
);

/// What is on the workers.
pub(super) const WORKER_COMPONENTS_ROW: AttributeSchema = row(
    "worker.components",
    "components on the workers, such as `datanode, zookeeper_server:3`, which is on three of them",
    WORKER,
    GroupValue::Components,
);

/// The workers' volume to boot from.
pub(super) const WORKER_ROOT_VOLUME_ROW: AttributeSchema = row(
    "worker.root_volume_gib",
    "GiB of the volume that each worker boots from; 0 for the flavor's own disk",
    WORKER,
    GroupValue::RootVolume,
);
