//! GET of an initialised and of a deployed cluster in each rendering, at 1, 64 and 1,000
//! connections: CPU of the server's process a request, and latency; beside the bare handler that
//! sends the same bytes, in turns, so that both meet the same noise.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use stampede_tests::usage::{memory_mib, processor_time};

use crate::generator::{LoadResult, load};
use crate::served::{BareServer, BenchHost};

const RENDERINGS: [&str; 4] = [
    "text/occi",
    "text/plain",
    "application/occi+json",
    "text/html",
];
/// Connections, and requests on each in one turn.
const LOADS: [(usize, usize); 3] = [(1, 2_000), (64, 100), (1_000, 8)];
const TURNS: usize = 3;
/// CPU milliseconds of the Python Service Orchestrator a GET, recorded on such a machine: the least
/// of each.
const PYTHON: [(&str, f64); 2] = [("initialised", 0.34), ("deployed", 4.2)];

/// What one server did in all turns.
#[derive(Default)]
struct Done {
    cpu: Duration,
    answered: usize,
    busy: usize,
    p50: Vec<Duration>,
    p99: Vec<Duration>,
}

pub async fn run() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let served = BenchHost::start(scratch.path()).await?;
    println!(
        "load: CPU of the server's process a GET, and latency p50/p99 in ms; Stampede, then the bare handler"
    );
    for (name, python_ms) in PYTHON {
        for accept in RENDERINGS {
            let request = served.get(name, accept);
            let answer = served.answer(&request).await?;
            if !String::from_utf8_lossy(&answer)
                .to_lowercase()
                .contains(&format!("content-type: {accept}"))
            {
                println!("{name:<11} {accept:<21} LEFT OUT: not spoken");
                continue;
            }
            let bare = BareServer::start(&answer, scratch.path())?;
            for (connections, each) in LOADS {
                let (mut ours, mut theirs) = (Done::default(), Done::default());
                for _ in 0..TURNS {
                    turn(
                        &mut ours,
                        served.at,
                        served.host.pid()?,
                        &request,
                        connections,
                        each,
                    )
                    .await?;
                    turn(
                        &mut theirs,
                        bare.at,
                        bare.pid(),
                        &request,
                        connections,
                        each,
                    )
                    .await?;
                }
                let (us, them) = (ours.micros(), theirs.micros());
                println!(
                    "{name:<11} {accept:<21} {:>4} bytes {connections:>4} connections: {us:>6.1} us {:>6.0} a CPU s {} | {them:>5.1} us {} | {:>3.0} % of bare \
                     (reach 80), {:>4.0} times Python (reach 20){}",
                    answer.len(),
                    1e6 / us,
                    ours.latency(),
                    theirs.latency(),
                    100.0 * them / us,
                    python_ms * 1e3 / us,
                    if ours.busy > 0 {
                        format!(", {} told 503", ours.busy)
                    } else {
                        String::new()
                    }
                );
            }
        }
    }
    let (rss, _) = memory_mib(served.host.pid()?)?;
    println!("memory afterwards: {rss:.1} MiB resident");
    Ok(())
}

async fn turn(
    done: &mut Done,
    at: SocketAddr,
    pid: u32,
    request: &str,
    connections: usize,
    each: usize,
) -> Result<()> {
    let before = processor_time(pid)?;
    let load: LoadResult = load(at, request, connections, each).await?;
    done.cpu += processor_time(pid)? - before;
    done.answered += load.answered();
    done.busy += load.busy;
    done.p50.push(load.percentile(50));
    done.p99.push(load.percentile(99));
    Ok(())
}

impl Done {
    fn micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / (self.answered + self.busy) as f64
    }

    /// The median of the turns.
    fn latency(&self) -> String {
        let median = |all: &[Duration]| {
            let mut all = all.to_vec();
            all.sort();
            all.get(all.len() / 2)
                .map_or(f64::NAN, |d| d.as_secs_f64() * 1e3)
        };
        format!("{:.2}/{:.2}", median(&self.p50), median(&self.p99))
    }
}
