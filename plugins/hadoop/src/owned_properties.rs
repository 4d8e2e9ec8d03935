//! The properties of Hadoop that requests cannot set, since the scripts of the nodes, their units
//! or the other daemons rely on them: a folder that nobody makes, an address that nobody asks. It
//! knows names alone.

/// Why a property is not free, and what to set in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnedProperty {
    /// Who relies on it.
    pub reason: &'static str,
    /// What there is instead.
    pub instead: &'static str,
}

const FOLDERS: OwnedProperty = OwnedProperty {
    reason: "the nodes make, format and mount this folder",
    instead: "it lies on the node's volume where the node has one",
};
const ADDRESSES: OwnedProperty = OwnedProperty {
    reason: "the nodes' scripts, checks and the endpoints rely on this address",
    instead: "there is one address for each daemon",
};
const MEMBERS: OwnedProperty = OwnedProperty {
    reason: "workers leave by this file, which the nodes' scripts write",
    instead: "counts of groups say who belongs to the cluster",
};
const RECOVERY: OwnedProperty = OwnedProperty {
    reason: "jobs outlive a change of the cluster by it, in folders that the units make",
    instead: "it is on wherever Hadoop can do it",
};
const ACCESS: OwnedProperty = OwnedProperty {
    reason: "the nodes' scripts speak to Hadoop in this way",
    instead: "no other way is supported",
};
const NAMESERVICES: OwnedProperty = OwnedProperty {
    reason: "there is one NameNode and one ResourceManager, which the nodes' scripts ask",
    instead: "several of them are not supported",
};

/// Whole names, older names of the same properties among them, which Hadoop still reads.
const NAMES: [(&OwnedProperty, &[&str]); 6] = [
    (
        &FOLDERS,
        &[
            "dfs.namenode.name.dir",
            "dfs.name.dir",
            "dfs.namenode.edits.dir",
            "dfs.name.edits.dir",
            "dfs.namenode.shared.edits.dir",
            "dfs.namenode.checkpoint.dir",
            "fs.checkpoint.dir",
            "dfs.namenode.checkpoint.edits.dir",
            "fs.checkpoint.edits.dir",
            "dfs.datanode.data.dir",
            "dfs.data.dir",
            "yarn.nodemanager.local-dirs",
            "yarn.nodemanager.log-dirs",
            "yarn.nodemanager.remote-app-log-dir",
            "yarn.app.mapreduce.am.staging-dir",
            "mapreduce.jobhistory.done-dir",
            "mapreduce.jobhistory.intermediate-done-dir",
        ],
    ),
    (
        &ADDRESSES,
        &[
            "fs.defaultFS",
            "fs.default.name",
            "dfs.namenode.rpc-address",
            "dfs.namenode.servicerpc-address",
            "dfs.namenode.lifeline.rpc-address",
            "dfs.namenode.rpc-bind-host",
            "dfs.namenode.http-address",
            "dfs.http.address",
            "dfs.namenode.http-bind-host",
            "dfs.datanode.address",
            "dfs.datanode.http.address",
            "dfs.datanode.ipc.address",
            "dfs.datanode.hostname",
            "slave.host.name",
            "dfs.datanode.dns.interface",
            "dfs.datanode.dns.nameserver",
            "hadoop.security.dns.interface",
            "hadoop.security.dns.nameserver",
            "yarn.resourcemanager.hostname",
            "yarn.resourcemanager.bind-host",
            "yarn.resourcemanager.address",
            "yarn.resourcemanager.scheduler.address",
            "yarn.resourcemanager.resource-tracker.address",
            "yarn.resourcemanager.admin.address",
            "yarn.resourcemanager.webapp.address",
            "yarn.nodemanager.address",
            "yarn.nodemanager.hostname",
            "yarn.nodemanager.bind-host",
            "yarn.nodemanager.localizer.address",
            "yarn.nodemanager.webapp.address",
            "mapreduce.jobhistory.address",
            "mapreduce.jobhistory.bind-host",
            "mapreduce.jobhistory.admin.address",
            "mapreduce.jobhistory.webapp.address",
            "mapreduce.shuffle.port",
        ],
    ),
    (
        &MEMBERS,
        &[
            "dfs.hosts",
            "dfs.hosts.exclude",
            "dfs.namenode.hosts.provider.classname",
            "yarn.resourcemanager.nodes.include-path",
            "yarn.resourcemanager.nodes.exclude-path",
        ],
    ),
    (
        &RECOVERY,
        &[
            "yarn.resourcemanager.recovery.enabled",
            "yarn.resourcemanager.store.class",
            "yarn.resourcemanager.leveldb-state-store.path",
            "yarn.nodemanager.recovery.enabled",
            "yarn.nodemanager.recovery.supervised",
            "yarn.nodemanager.recovery.dir",
        ],
    ),
    (
        &ACCESS,
        &[
            "dfs.webhdfs.enabled",
            "dfs.http.policy",
            "yarn.http.policy",
            "mapreduce.jobhistory.http.policy",
            "hadoop.security.authentication",
            "hadoop.http.authentication.type",
            "mapreduce.framework.name",
        ],
    ),
    (
        &NAMESERVICES,
        &[
            "dfs.nameservices",
            "dfs.internal.nameservices",
            "dfs.federation.nameservices",
            "dfs.nameservice.id",
            "dfs.federation.nameservice.id",
        ],
    ),
];

/// Beginnings of names.
const BEGINNINGS: [(&OwnedProperty, &str); 3] = [
    (&NAMESERVICES, "dfs.ha."),
    (&NAMESERVICES, "yarn.resourcemanager.ha."),
    (&NAMESERVICES, "yarn.federation."),
];

/// Whether `name`, as a request has it, is one of them. Hadoop trims names, and one configuration
/// is read after the other, so that they count in each file.
pub fn find_owned(name: &str) -> Option<&'static OwnedProperty> {
    let name = name.trim();
    let whole = NAMES.iter().find(|(_, names)| names.contains(&name));
    let begins = || {
        BEGINNINGS
            .iter()
            .find(|(_, beginning)| name.starts_with(beginning))
    };
    whole
        .map(|(owned, _)| *owned)
        .or_else(|| begins().map(|(owned, _)| *owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Hadoop 3.5.0 and 3.4.3 read for another property: an older name, then the newer one.
    const OLDER_NAMES: &str = include_str!("testdata/older-names.txt");

    #[test]
    fn whatever_hadoop_reads_for_an_owned_property_is_owned() {
        let pairs: Vec<_> = OLDER_NAMES
            .lines()
            .map(|line| line.split_once(' ').unwrap())
            .collect();
        for (older, newer) in &pairs {
            // of two newer names, one that is owned is enough
            if newer.split(',').any(|name| find_owned(name).is_some()) {
                assert!(find_owned(older).is_some(), "{older} sets {newer}");
            }
        }
        assert!(pairs.contains(&("slave.host.name", "dfs.datanode.hostname")));
    }

    #[test]
    fn older_names_blanks_and_further_parts_do_not_hide_a_property() {
        for name in [
            "dfs.datanode.data.dir",
            "dfs.data.dir",
            " fs.defaultFS\u{2003}",
            "dfs.ha.namenodes.demo",
            "slave.host.name",
            "hadoop.security.dns.interface",
            "yarn.resourcemanager.ha.enabled",
        ] {
            assert!(find_owned(name).is_some(), "{name:?}");
        }
        for name in [
            "dfs.replication",
            "dfs.datanode.du.reserved",
            "dfs.datanode.data.dir.perm",
            "fs.defaultfs",
            "hadoop.tmp.dir",
        ] {
            assert!(find_owned(name).is_none(), "{name:?}");
        }
    }
}
