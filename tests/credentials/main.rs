//! Credentials are read as the `openstack` client reads them: both read the same files and
//! variables and log in at the same stand-in for a Keystone, and what they sent is compared. Started
//! by `tests/credentials/run`, which installs the client. `STAMPEDE_CREDENTIAL_CASES` is how many
//! combinations are generated, `STAMPEDE_CREDENTIAL_SEED` from which seed.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on panics"
)]

mod by_hand;
mod by_hand_files;
mod by_hand_places;
mod case;
mod compare;
mod generated;
mod keystone;
mod openstack_client;

use std::{collections::BTreeMap, env};

use compare::{DEVIATIONS, ReadingComparison};

/// Combinations that are generated unless a variable says how many.
const GENERATED: usize = 220;
/// Cases written by hand, at least.
const BY_HAND: usize = 30;

fn number(variable: &str, default: usize) -> usize {
    match env::var(variable) {
        Ok(text) if !text.is_empty() => text.parse().expect("a number"),
        _ => default,
    }
}

#[tokio::test]
async fn both_send_the_same() {
    let seed = number("STAMPEDE_CREDENTIAL_SEED", 9);
    let mut cases = by_hand::cases();
    assert!(cases.len() >= BY_HAND, "{} cases by hand", cases.len());
    cases.extend(by_hand_places::cases());
    let by_hand = cases.len();
    cases.extend(generated::cases(
        seed as u64,
        number("STAMPEDE_CREDENTIAL_CASES", GENERATED),
    ));
    let mut prepared = Vec::new();
    for case in &cases {
        prepared.push(case.prepare().await);
    }
    let theirs = openstack_client::read_all(&prepared).await;
    let (mut same, mut refused, mut different) = (0, 0, Vec::new());
    let mut deviations = BTreeMap::<&str, usize>::new();
    for ((case, prepared), theirs) in cases.iter().zip(&prepared).zip(&theirs) {
        let ours = prepared.read_ours().await;
        match compare::compare(case, theirs, &ours) {
            ReadingComparison::Same => same += 1,
            ReadingComparison::BothRefuse => refused += 1,
            ReadingComparison::Deviations(names) => {
                for name in names {
                    *deviations.entry(name).or_default() += 1;
                }
            }
            ReadingComparison::Different(why) => different.push(format!(
                "{}: {why}\n  openstack: {theirs:?}\n  stampede: {ours:?}\n{}",
                case.name,
                case.shown()
            )),
        }
    }
    println!(
        "{by_hand} cases by hand and {} generated (seed {seed}): {same} the same, {refused} refused by both",
        cases.len() - by_hand
    );
    for (name, reason) in DEVIATIONS {
        println!(
            "  {:>4} {name}: {reason}",
            deviations.get(name).unwrap_or(&0)
        );
    }
    assert!(
        different.is_empty(),
        "{} cases differ:\n{}",
        different.len(),
        different.join("\n")
    );
    for (name, _) in DEVIATIONS {
        assert!(
            deviations.contains_key(name),
            "no case shows `{name}` any more"
        );
    }
    assert!(
        same * 3 > cases.len(),
        "too few log in to say anything: {same}"
    );
}
