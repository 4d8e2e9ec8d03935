//! From deploy to a verified cluster on the real OpenStack, beside two others in the same run: the
//! same scripts started by hand on all nodes at once, and pushed node by node over SSH from the
//! master, as Stampede's predecessors did. Each way is timed from the request to Heat on, and what
//! of that was booting is told apart, since nobody can boot a node faster by hand.
//!
//! Words: numbers of workers (`2 4`), `java` and `plain` for the image with Java and the one
//! without; unsaid: 2 and 4 workers, both images.

use anyhow::Result;
use stampede_tests::testbed::cloud;

use crate::ways::{ClusterShape, WayTimes, by_hand, generated, over_ssh, through_stampede};

pub async fn run(words: &[String]) -> Result<()> {
    if let Some(why) = cloud::not_here() {
        println!("LEFT OUT: deploy, since {why}");
        return Ok(());
    }
    let cloud = cloud::bring_up().await?;
    for shape in shapes(words) {
        println!(
            "\n=== deploy, 1 + {} nodes of 4 GiB from {}",
            shape.workers, shape.image
        );
        let scratch = tempfile::tempdir()?;
        let through = through_stampede(&cloud, &shape, scratch.path()).await?;
        show("deploy over OCCI", &through);
        let dir = generated(&cloud, &shape, scratch.path())?;
        let hand = by_hand(&cloud, &shape, &dir).await?;
        show("by hand, all nodes at once", &hand);
        let pushed = over_ssh(&cloud, &shape, &dir).await?;
        show("node by node over SSH", &pushed);
        ratios(&through, &hand, &pushed);
    }
    Ok(())
}

fn shapes(words: &[String]) -> Vec<ClusterShape> {
    let mut workers: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    if workers.is_empty() {
        workers = vec![2, 4];
    }
    let images = [("java", "debian-12"), ("plain", "debian-12-plain")];
    let named = images
        .iter()
        .any(|(word, _)| words.iter().any(|w| w == word));
    let images = images
        .into_iter()
        .filter(|(word, _)| !named || words.iter().any(|w| w == word));
    images
        .flat_map(|(_, image)| {
            workers
                .iter()
                .map(move |&workers| ClusterShape { workers, image })
        })
        .collect()
}

fn show(way: &str, took: &WayTimes) {
    println!(
        "{way}: {:.1} s = booting {:.1} + on the nodes {:.1}",
        took.total(),
        took.boot,
        took.nodes
    );
    println!(
        "    processor seconds: {:.0} on the nodes, {:.0} on the whole machine, other work on it among them ({:.0} were to be had)",
        took.cpu.nodes, took.cpu.machine, took.cpu.most
    );
    for stage in &took.stages {
        println!("    {stage}");
    }
}

fn ratios(through: &WayTimes, hand: &WayTimes, pushed: &WayTimes) {
    println!(
        "deploy / by hand (reach 1.3): {:.2} to the letter, booting in the first alone; {:.2} with booting in both, {:.2} in neither",
        through.total() / hand.nodes,
        through.total() / hand.total(),
        through.nodes / hand.nodes
    );
    println!(
        "SSH / deploy (reach 2): {:.2} to the letter, booting in the second alone; {:.2} with booting in both, {:.2} in neither",
        pushed.nodes / through.total(),
        pushed.total() / through.total(),
        pushed.nodes / through.nodes
    );
}
