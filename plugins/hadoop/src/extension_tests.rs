//! What other frameworks add to Hadoop's configuration.

use serde_json::{Value, json};
use stampede_framework::Bundle;

use crate::test_cluster::{
    GroupNodes, ON_MASTER, ON_WORKERS, generated, lines, nothing, property, request, value,
};

const GROUPS: [GroupNodes<'_>; 2] = [
    ("master", ON_MASTER, (4_096, 2)),
    ("worker", ON_WORKERS, (4_096, 2)),
];

fn with(settings: &Value, extensions: &[(&str, &str, &str)]) -> Bundle {
    generated(&request(2, settings), &GROUPS, extensions).unwrap()
}

fn refused(version: &str, extensions: &[(&str, &str, &str)]) -> String {
    let mut request = request(2, &nothing());
    version.clone_into(&mut request.version);
    lines(&generated(&request, &GROUPS, extensions).unwrap_err())
}

#[test]
fn properties_reach_their_files_and_the_users_win() {
    let settings = json!({"core_site": {"hadoop.proxyuser.livy.hosts": "edge"}});
    let bundle = with(
        &settings,
        &[
            ("hdfs", "core-site/hadoop.proxyuser.livy.hosts", "*"),
            ("hdfs", "hdfs-site/dfs.namenode.acls.enabled", "true"),
            (
                "yarn",
                "yarn-site/yarn.nodemanager.pmem-check-enabled",
                "false",
            ),
            (
                "yarn",
                "capacity-scheduler/yarn.scheduler.capacity.node-locality-delay",
                "1",
            ),
            // of two that want the same, one is enough
            (
                "yarn",
                "yarn-site/yarn.nodemanager.pmem-check-enabled",
                "false",
            ),
            // what Hadoop sets so itself
            ("yarn", "yarn-site/yarn.log-aggregation-enable", "true"),
        ],
    );
    assert_eq!(
        value(&bundle, "core", "hadoop.proxyuser.livy.hosts"),
        "edge"
    );
    assert_eq!(value(&bundle, "hdfs", "dfs.namenode.acls.enabled"), "true");
    assert_eq!(
        value(&bundle, "yarn", "yarn.nodemanager.pmem-check-enabled"),
        "false"
    );
    let delay = "yarn.scheduler.capacity.node-locality-delay";
    assert_eq!(
        property(&bundle, "capacity-scheduler", "master", delay).as_deref(),
        Some("1")
    );
}

#[test]
fn services_inside_nodemanagers_come_beside_mapreduces() {
    const LIST: &str = "yarn.nodemanager.aux-services";
    let shuffle = (
        "yarn",
        "aux-service/spark_shuffle",
        "org.apache.spark.network.yarn.YarnShuffleService",
    );
    let path = (
        "yarn",
        "yarn-site/yarn.nodemanager.aux-services.spark_shuffle.classpath",
        "/opt/spark/yarn/*",
    );
    let bundle = with(&nothing(), &[shuffle, path, shuffle]);
    assert_eq!(
        value(&bundle, "yarn", LIST),
        "mapreduce_shuffle,spark_shuffle"
    );
    assert_eq!(
        value(&bundle, "yarn", &format!("{LIST}.spark_shuffle.class")),
        shuffle.2
    );
    assert_eq!(
        value(&bundle, "yarn", &format!("{LIST}.spark_shuffle.classpath")),
        path.2
    );
    let listed = with(
        &nothing(),
        &[("yarn", "yarn-site/yarn.nodemanager.aux-services", "a,b")],
    );
    assert_eq!(value(&listed, "yarn", LIST), "mapreduce_shuffle,a,b");
    // a user who lists services of his own does not take Spark's away
    let settings = json!({"yarn_site": {LIST: "mapreduce_shuffle, mine"}});
    assert_eq!(
        value(&with(&settings, &[shuffle]), "yarn", LIST),
        "mapreduce_shuffle,mine,spark_shuffle"
    );
}

#[test]
fn java_is_one_that_all_can_use() {
    let java = |version: &str, extensions: &[(&str, &str, &str)]| {
        let mut request = request(2, &nothing());
        version.clone_into(&mut request.version);
        generated(&request, &GROUPS, extensions).unwrap().software[0]
            .names
            .clone()
    };
    assert_eq!(java("3.5.0", &[]), ["17", "17"]);
    assert_eq!(java("3.4.3", &[]), ["11", "17"]);
    assert_eq!(
        java("3.4.3", &[("yarn", "java/oldest", "17")]),
        ["17", "17"]
    );
    assert_eq!(
        java("3.4.3", &[("hdfs", "java/newest", "11")]),
        ["11", "11"]
    );
    assert_eq!(
        refused("3.5.0", &[("yarn", "java/oldest", "21")]),
        "hadoop.version: Hadoop 3.5.0 runs on Java 17 to 17, and with what other frameworks need no Java from 21 to 17 \
         is left (take another version of one of them)"
    );
}

#[test]
fn what_is_unknown_owned_or_asked_for_twice_is_refused_all_at_once() {
    let told = refused(
        "3.5.0",
        &[
            ("yarn", "gadget", "1"),
            ("hdfs", "yarn-site/a", "1"),
            ("yarn", "core-site/a", "1"),
            ("yarn", "java/oldest", "new"),
            ("yarn", "java/oldest", "1000"),
            ("yarn", "aux-service/no.name", "x"),
            ("hdfs", "aux-service/x", "x"),
            ("hdfs", "hdfs-site/dfs.datanode.data.dir", "/data"),
            ("hdfs", "core-site/ ", "x"),
            ("yarn", "yarn-site/b", "1"),
            ("yarn", "yarn-site/b", "2"),
        ],
    );
    let hint = " (leave one of the frameworks out)";
    let said: Vec<&str> = told
        .lines()
        .map(|line| {
            line.strip_prefix("framework: ")
                .unwrap()
                .strip_suffix(hint)
                .unwrap()
        })
        .collect();
    assert_eq!(
        said,
        [
            "Hadoop's `yarn` knows no extension `gadget`",
            "Hadoop's `hdfs` knows no extension `yarn-site/a`",
            "Hadoop's `yarn` knows no extension `core-site/a`",
            "`java/oldest` is a number, and not `new`",
            "`java/oldest` is a number, and not `1000`",
            "`aux-service/no.name`: a service of YARN's is of letters, digits and `_`",
            "Hadoop's `hdfs` knows no extension `aux-service/x`",
            "`dfs.datanode.data.dir` is not free: the nodes make, format and mount this folder",
            "Hadoop's core-site.xml cannot carry the property \" \"",
            "two frameworks want `b` of Hadoop: `1` and `2`",
        ]
    );
    assert_eq!(
        refused(
            "3.5.0",
            &[("yarn", "yarn-site/yarn.log-aggregation-enable", "false")]
        ),
        format!(
            "framework: Hadoop sets `yarn.log-aggregation-enable` to `true` itself, and a framework wants `false`{hint}"
        )
    );
}
