//! Several frameworks on one cluster, by what operators type: Hadoop, Spark on YARN and JupyterLab,
//! with nodes for people and nodes that only compute.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};

use stampede_tests::testbed::cloud::{MIRROR, PROXY};
use stampede_tests::testbed::cluster::find_named;
use stampede_tests::testbed::mirror::{self, sha512_of};
use stampede_tests::testbed::node::TestbedNode;
use stampede_tests::testbed::notebook::NotebookServer;
use stampede_tests::testbed::port_scan::{RouteInto, list_addresses, list_answering_ports};
use stampede_tests::{must, verified, wait_until};

use super::by_hand::run_stampede;
use super::compute;
use super::way_in::{self, OpenTunnel};
use crate::TestbedContext;

/// The cluster's name.
pub const NAME: &str = "together";

/// What a request for these frameworks has to say on the testbed.
pub fn settings(frameworks: &[&str]) -> Result<Vec<String>> {
    let mut all = vec![
        "image=debian-12".to_owned(),
        "network.external=public".to_owned(),
        "timeout=900".to_owned(),
        format!("mirror={MIRROR}"),
        format!("proxy={PROXY}"),
    ];
    for &framework in frameworks {
        all.push(match framework {
            "jupyterlab" => format!("python.index={MIRROR}/pypi/simple"),
            "zookeeper" => format!(
                "zookeeper.version=3.9.5,zookeeper.sha512={}",
                sha512_of(framework, "3.9.5")?
            ),
            "spark" => format!("spark.sha512={}", sha512_of(framework, "4.2.0")?),
            _ => format!("hadoop.sha512={}", sha512_of("hadoop", "3.5.0")?),
        });
    }
    let all = all.iter().flat_map(|one| one.split(','));
    Ok(all.map(str::to_owned).collect())
}

/// Deploys and waits; the nodes of these names.
pub async fn deploy(
    testbed: &TestbedContext,
    frameworks: &str,
    name: &str,
    sets: &[String],
    nodes: &[&str],
) -> Result<Vec<TestbedNode>> {
    let mut arguments = vec!["deploy", frameworks, "--name", name];
    arguments.extend(sets.iter().flat_map(|set| ["--set", set.as_str()]));
    arguments.push("--wait");
    let start = Instant::now();
    let shown = run_stampede(testbed, &arguments)?;
    must!(shown.contains("CREATE_COMPLETE"), "it printed: {shown}");
    verified!(
        "{frameworks} from one request: active in {:.0} s",
        start.elapsed().as_secs_f32()
    );
    let stack = testbed.cloud.demo.stacks().await?;
    find_named(
        &testbed.cloud.demo,
        stack.first().context("no stack")?,
        nodes,
    )
    .await
}

/// Hadoop, Spark and JupyterLab: a notebook computes on YARN over a file in HDFS, nobody comes in but
/// by SSH, nodes that only compute come and go, what ends is told, and all of it outlives a reboot.
pub async fn together(testbed: &TestbedContext) -> Result<()> {
    mirror::make(&["spark-4.2.0", "jupyterlab-4.6.6"])?;
    let key = way_in::make_key(testbed).await?;
    let mut sets = settings(&["jupyterlab", "spark", "hadoop"])?;
    sets.extend(
        [
            "groups=master,worker,compute,edge",
            "master.flavor=m1.xlarge",
            "worker.flavor=m1.xlarge",
            "compute.flavor=m1.xlarge",
            "edge.flavor=m1.large",
            "network.access=172.31.240.1/32",
        ]
        .map(str::to_owned),
    );
    sets.push(format!("key={}", way_in::KEY));
    let names = ["master", "worker-1", "worker-2", "compute", "edge"];
    let nodes = deploy(testbed, "jupyterlab,spark,hadoop", NAME, &sets, &names).await?;
    use_notebook(testbed, &key, &nodes).await?;
    scan(testbed, &nodes).await?;
    end_daemons(testbed, &nodes[1]).await?;
    reboot(testbed, &nodes).await?;
    compute::grow_and_shrink(testbed, &nodes).await?;
    run_stampede(testbed, &["delete", NAME, "--wait"])?;
    way_in::forget_key(&testbed.cloud.demo).await;
    super::deletion::nothing_stays(testbed).await
}

/// Counts words of a file in HDFS, and goes on until both workers have computed something: there are as
/// many executors as fit, so that no node stays without.
const CELL: &str = r"
import socket, time
from pyspark.sql import SparkSession
settings = {'spark.executor.memory': '512m', 'spark.executor.cores': 1, 'spark.dynamicAllocation.minExecutors': 8}
builder = SparkSession.builder.appName('notebook')
for name, value in settings.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
lines = spark.sparkContext.textFile('hdfs:///tmp/words', 8)
counts = dict(lines.flatMap(str.split).map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b).collect())
def where(_):
    time.sleep(1)
    return socket.gethostname()
nodes, end = set(), time.time() + 120
while not {'worker-1', 'worker-2'} <= nodes and time.time() < end:
    nodes |= set(spark.sparkContext.parallelize(range(24), 24).map(where).collect())
print(spark.sparkContext.master, counts, *sorted(nodes))
spark.stop()
";

async fn use_notebook(testbed: &TestbedContext, key: &str, nodes: &[TestbedNode]) -> Result<()> {
    let put = "yes 'alpha beta alpha' | head -n 4000 >/tmp/words; runuser -u hdfs -- hdfs dfs -put -f /tmp/words /tmp/words; runuser -u hdfs -- hdfs dfs -chmod 644 /tmp/words";
    nodes[0].run_script(put).await?;
    let wanted = ["jupyterlab", "hadoop_namenode", "spark_history"];
    let tunnel = OpenTunnel::open(testbed, NAME, key, &wanted).await?;
    let port = tunnel.port("jupyterlab")?;
    let token = run_stampede(testbed, &["secret", NAME, "jupyterlab"])?;
    let notebook = NotebookServer::new(port, token.trim())?;
    for wrong in [None, Some("0".repeat(64))] {
        let (status, _) = notebook
            .ask(Method::GET, "/api/kernels", wrong.as_deref(), None)
            .await?;
        must!(status == 403, "with the token {wrong:?}: {status}");
    }
    let said = notebook.run_cell("pyspark", CELL).await?;
    let expected = "yarn {'alpha': 8000, 'beta': 4000} ";
    let nodes = said.trim().strip_prefix(expected);
    let nodes: BTreeSet<&str> = nodes.unwrap_or_default().split(' ').collect();
    must!(
        nodes.contains("worker-1") && nodes.contains("worker-2"),
        "the cell printed: {said}"
    );
    verified!(
        "JupyterLab on edge: 403 without its token; by `stampede tunnel` and `stampede secret` PySpark on YARN counted words of a file in HDFS, with executors on {nodes:?}"
    );
    for page in ["hadoop_namenode", "spark_history"] {
        let (status, _) = notebook_page(tunnel.port(page)?).await?;
        must!(status.is_success(), "{page}: {status}");
    }
    tunnel.close().await?;
    verified!("the NameNode's and the history server's pages answer by the tunnel");
    Ok(())
}

async fn notebook_page(port: u16) -> Result<(reqwest::StatusCode, String)> {
    let url = format!("http://127.0.0.1:{port}/");
    let answer = stampede_tests::http_client()?.get(url).send().await?;
    Ok((answer.status(), answer.text().await?))
}

/// Every port of every address of every node, from where the floating IPs are: SSH answers, which
/// also shows that the scan sees what answers.
async fn scan(testbed: &TestbedContext, nodes: &[TestbedNode]) -> Result<()> {
    let demo = &testbed.cloud.demo;
    let _route = RouteInto::add(demo, "10.77.0.0/22").await?;
    let start = Instant::now();
    let mut addresses = Vec::new();
    for node in nodes {
        addresses.extend(list_addresses(demo, &node.server).await?);
    }
    let scans = addresses
        .iter()
        .map(|&address| list_answering_ports(address));
    let found = futures_util::future::try_join_all(scans).await?;
    for (address, ports) in addresses.iter().zip(&found) {
        must!(ports == &[22], "of {address} the ports {ports:?} answer");
    }
    verified!(
        "of 65535 ports of each of {addresses:?} SSH's alone answers from outside ({:.0} s)",
        start.elapsed().as_secs_f32()
    );
    Ok(())
}

/// The health of a component on a node, as `show` has it: colour and sentence.
async fn health_of(
    testbed: &TestbedContext,
    node: &str,
    component: &str,
) -> Result<(String, String)> {
    let shown = run_stampede(testbed, &["show", NAME, "--format", "json"])?;
    let shown: Value = serde_json::from_str(&shown)?;
    let services = shown["health"]["services"].as_array();
    let services = services.into_iter().flatten();
    let mut nodes = services
        .filter(|service| service["component"] == component)
        .flat_map(|service| service["nodes"].as_array().into_iter().flatten());
    let found = nodes.find(|one| one["node"] == node);
    let found = found.with_context(|| format!("nothing is said of {component} on {node}"))?;
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    Ok((text("colour"), text("sentence")))
}

/// How long the cluster may not know of it.
const TOLD_S: u64 = 60;

async fn becomes(
    testbed: &TestbedContext,
    node: &str,
    component: &str,
    colour: &str,
) -> Result<String> {
    let mut sentence = String::new();
    wait_until(
        TOLD_S,
        &format!("{component} on {node} is {colour}"),
        async || {
            let (is, said) = health_of(testbed, node, component).await?;
            sentence = said;
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(is == colour)
        },
    )
    .await?;
    Ok(sentence)
}

/// One daemon is killed, and one stopped by hand: each is red within a minute, and green again.
async fn end_daemons(testbed: &TestbedContext, worker: &TestbedNode) -> Result<()> {
    worker
        .run_script("systemctl kill --signal=KILL hadoop-datanode")
        .await?;
    let start = Instant::now();
    let killed = becomes(testbed, &worker.name, "datanode", "red").await?;
    let red = start.elapsed().as_secs();
    wait_until(2 * TOLD_S, "it is green again", async || {
        Ok(health_of(testbed, &worker.name, "datanode").await?.0 == "green")
    })
    .await?;
    verified!(
        "a DataNode was killed: red after {red} s, `{killed}`, and green again by itself after {} s",
        start.elapsed().as_secs()
    );
    worker
        .run_script("systemctl stop hadoop-nodemanager")
        .await?;
    let stopped = becomes(testbed, &worker.name, "nodemanager", "red").await?;
    worker
        .run_script("systemctl start hadoop-nodemanager")
        .await?;
    wait_until(2 * TOLD_S, "it is green again", async || {
        Ok(health_of(testbed, &worker.name, "nodemanager").await?.0 == "green")
    })
    .await?;
    let shown = run_stampede(testbed, &["show", NAME])?;
    must!(
        shown.contains("_COMPLETE"),
        "a red service changed the state: {shown}"
    );
    verified!(
        "a NodeManager was stopped: red, `{stopped}`, and green when it was started; the stack's state stayed"
    );
    Ok(())
}

fn init_pids(nodes: &[TestbedNode]) -> Result<Vec<u32>> {
    nodes.iter().map(TestbedNode::init_pid).collect()
}

/// After a hard reboot of all nodes everything is green again, and proves itself.
async fn reboot(testbed: &TestbedContext, nodes: &[TestbedNode]) -> Result<()> {
    let before = init_pids(nodes)?;
    for node in nodes {
        let action = json!({"reboot": {"type": "HARD"}});
        testbed
            .cloud
            .demo
            .server_action(&node.server, action)
            .await?;
    }
    let start = Instant::now();
    for (node, before) in nodes.iter().zip(before) {
        wait_until(120, &format!("{} boots", node.name), async || {
            Ok(node.init_pid()? != before)
        })
        .await?;
        // of this boot: the file is in memory
        let green =
            "test -s /run/stampede/health && ! cut -f 2 /run/stampede/health | grep -v green";
        wait_until(300, &format!("{} is green again", node.name), async || {
            node.run_script(green).await.map(|_| true)
        })
        .await?;
    }
    verified!(
        "a hard reboot of all nodes: every service is green again after {:.0} s",
        start.elapsed().as_secs_f32()
    );
    for node in [&nodes[0], nodes.last().context("no nodes")?] {
        let said = node.run_script("/opt/stampede/run prove 2>&1").await?;
        let said = said.lines().last().unwrap_or_default();
        must!(said.contains("smoke"), "{} said: {said}", node.name);
        verified!("`/opt/stampede/run prove`: {said}");
    }
    Ok(())
}
