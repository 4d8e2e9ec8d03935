//! What a person is told who asks for what cannot be.

use super::Terminal;

#[tokio::test]
async fn a_deploy_that_cannot_be_is_refused_with_all_that_is_wrong() {
    let terminal = Terminal::new().await;
    let asked = [
        "groups=master,worker,spark",
        "worker.components=datanoode",
        "worker.flavor=m1.tiny",
        "worker.availability_zone=nowhere",
        "zookeeper.memory_share=101",
        "network.access=0.0.0.0/0",
        "network.open=hadoop_namenode",
        "python.index=https://user:hunter2@pypi.example.org",
        "key=nobodys",
    ];
    let set: Vec<&str> = asked.iter().flat_map(|one| ["--set", one]).collect();
    let base = [
        "deploy",
        "hadoop,zookeeper",
        "--name",
        "demo",
        "--workers",
        "2",
    ];
    let tried = terminal
        .run(&[&base[..], &set, &["--dry-run"]].concat())
        .await;
    let deployed = terminal.run(&[&base[..], &set].concat()).await;
    for ended in [&tried, &deployed] {
        assert_eq!(ended.code, Some(3), "{ended:?}");
        let told = [
            "groups: `spark` is a framework",
            "worker.components: no framework of this cluster has a component `datanoode`",
            "worker.flavor: `m1.tiny` has 256 MiB",
            "worker.availability_zone: there is no availability zone `nowhere`",
            "zookeeper.memory_share: 101 is too many",
            "zookeeper.least_voters: 3 servers have to vote",
            "network.open: `hadoop_namenode` asks for no password",
            "python.index: holds a user name",
            "key: this user has no key pair `nobodys`",
        ];
        for one in told {
            assert_eq!(ended.err.matches(one).count(), 1, "{one}: {ended:?}");
        }
        assert!(!ended.err.contains("hunter2"), "{ended:?}");
    }
    assert!(terminal.cloud.stacks().is_empty());
}
