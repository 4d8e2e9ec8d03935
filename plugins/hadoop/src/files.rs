//! What stands on the nodes before any script runs: configuration, the launcher, what scripts share.

use stampede_framework::{Effect, File, Grant, config_lines, file};

use crate::{
    bare_script::without_comments,
    daemons::{CLIENT, DATANODE, DaemonNodes, JOBHISTORY, NAMENODE, NODEMANAGER, RESOURCEMANAGER},
    settings::HadoopSettings,
    sites::SiteFiles,
};

/// `/etc/profile.d/hadoop.sh`.
pub const PROFILE: &str = include_str!("../scripts/profile.sh");

/// `/etc/hadoop/log4j.properties`: daemons write to the journal, commands to standard error.
const LOG4J: &str = "hadoop.root.logger=INFO,console\n\
    log4j.rootLogger=${hadoop.root.logger}\n\
    log4j.appender.console=org.apache.log4j.ConsoleAppender\n\
    log4j.appender.console.target=System.err\n\
    log4j.appender.console.layout=org.apache.log4j.PatternLayout\n\
    log4j.appender.console.layout.ConversionPattern=%d{ISO8601} %p %c{2}: %m%n\n\
    log4j.logger.org.apache.hadoop.util.NativeCodeLoader=ERROR\n";

/// Permissions of programs.
const RUNNABLE: u32 = 0o755;

/// Who reads yarn-site.xml.
const YARN_READERS: [&str; 4] = [CLIENT, RESOURCEMANAGER, NODEMANAGER, JOBHISTORY];

/// The groups that have a node with yarn-site.xml, each once.
pub fn groups_of_yarn(grants: &[Grant]) -> Vec<&str> {
    let mut groups = Vec::new();
    for grant in grants {
        let group = grant.group.as_str();
        if YARN_READERS.contains(&grant.component.as_str()) && !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

/// A file names those whose units it restarts: a change restarts nobody whom it does not concern.
pub fn node_files(
    sites: &SiteFiles,
    settings: &HadoopSettings,
    nodes: &DaemonNodes<'_>,
) -> Vec<File> {
    let conf = |name: &str, text: String| file(format!("/etc/hadoop/{name}"), text);
    let library = |name: &str, text: &str| {
        file(
            format!("/usr/local/lib/hadoop/{name}"),
            without_comments(text),
        )
    };
    let mut files = vec![
        conf("core-site.xml", sites.core.to_xml()),
        conf("hdfs-site.xml", sites.hdfs.to_xml()).on(&[
            CLIENT,
            NAMENODE,
            DATANODE,
            NODEMANAGER,
            JOBHISTORY,
        ]),
        conf("mapred-site.xml", sites.mapred.to_xml()).on(&[CLIENT, NODEMANAGER, JOBHISTORY]),
        conf("capacity-scheduler.xml", sites.scheduler.to_xml())
            .on(&[RESOURCEMANAGER])
            .with_effect(Effect::Reload),
        conf("log4j.properties", LOG4J.to_owned()),
        library("launch", include_str!("../scripts/launch.sh")).owned_by("root", RUNNABLE),
        library("checkpoint", include_str!("../scripts/checkpoint.sh"))
            .on(&[NAMENODE])
            .owned_by("root", RUNNABLE),
        library("lib.sh", include_str!("../scripts/lib.sh")).with_effect(Effect::Nothing),
        library("leave.sh", include_str!("../scripts/leave.sh"))
            .on(&[NAMENODE, RESOURCEMANAGER])
            .with_effect(Effect::Nothing),
        library("hadoop.env", &script_environment(settings, nodes)).with_effect(Effect::Nothing),
        file("/etc/profile.d/hadoop.sh", without_comments(PROFILE)).with_effect(Effect::Nothing),
    ];
    for command in ["hadoop", "hdfs", "yarn", "mapred"] {
        let text = format!("#!/bin/bash\nexec /usr/local/lib/hadoop/launch {command} \"$@\"\n");
        files.push(
            file(format!("/usr/local/bin/{command}"), text)
                .owned_by("root", RUNNABLE)
                .with_effect(Effect::Nothing),
        );
    }
    for (group, site) in &sites.yarn {
        files.push(
            conf("yarn-site.xml", site.to_xml())
                .on(&YARN_READERS)
                .in_group(group),
        );
    }
    files
}

/// What scripts need to know of the cluster; of names, numbers and true or false alone.
fn script_environment(settings: &HadoopSettings, nodes: &DaemonNodes<'_>) -> String {
    config_lines(
        [
            ("HADOOP_NAMENODE", nodes.namenode.to_owned()),
            ("HADOOP_RESOURCEMANAGER", nodes.resourcemanager.to_owned()),
            ("HADOOP_JOBHISTORY", nodes.jobhistory.to_owned()),
            ("HADOOP_DRAIN_S", settings.drain_s.to_string()),
        ],
        "=",
    )
}
