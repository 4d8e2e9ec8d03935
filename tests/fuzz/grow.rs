//! Grows a corpus by mutation: tries one input after the other for as long as it may, and keeps
//! those with a new outcome. Knows nothing of OCCI but its signs.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Bytes of an input; more than any limit of a value, so that both its sides are reached.
const MOST_BYTES: usize = 40_000;
/// Inputs that are kept to grow from.
const POPULATION: usize = 4_000;

/// What is put into inputs whole.
const WORDS: [&str; 40] = [
    "\"",
    "'",
    "\\",
    ",",
    ", ",
    "=",
    ";",
    "#",
    "<",
    ">",
    "%",
    "%2C",
    "%0D%0A",
    "\r\n",
    "\n",
    "\n\n",
    "\0",
    "\t",
    "\u{7f}",
    "\u{e9}",
    "\u{1f980}",
    "\u{feff}",
    "<script>",
    "javascript:",
    "scheme=",
    "class=\"mixin\"",
    "location=\"/x/\"",
    "Category: ",
    "X-OCCI-Attribute: ",
    "X-OCCI-Location: ",
    "Link: ",
    "Content-Type: application/occi+json",
    "Content-Type: text/uri-list",
    "{\"attributes\":",
    "[",
    "}",
    "null",
    "1e400",
    "/orchestrator/",
    "http://h/",
];

/// What grows in a test that nobody asked for more: the same each time. `tests/run` takes another
/// one each time, and says which.
const SEED: u64 = 1;

/// One test: runs `holds` on the corpus and on what grows out of it. `holds` says what kind of
/// outcome an input had, and panics where a property does not hold.
pub(super) fn run(target: &str, holds: fn(&[u8]) -> String) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let seed = number("STAMPEDE_FUZZ_SEED").unwrap_or(SEED);
    let seconds = Duration::from_secs(number("STAMPEDE_FUZZ_SECONDS").unwrap_or(1));
    let mut files: Vec<PathBuf> = std::fs::read_dir(&corpus)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut population: Vec<Vec<u8>> = files
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect();
    assert!(!population.is_empty(), "{} is empty", corpus.display());
    let mut outcomes = HashSet::new();
    for input in &population {
        outcomes.insert(digest(&tried(target, seed, input, holds)));
    }
    let (mut random, begun, mut tries) = (Random(seed), Instant::now(), population.len());
    while begun.elapsed() < seconds {
        let input = mutated(&population, &mut random);
        let outcome = tried(target, seed, &input, holds);
        tries += 1;
        if outcomes.insert(digest(&outcome)) && population.len() < POPULATION {
            if std::env::var_os("STAMPEDE_FUZZ_KEEP").is_some() {
                std::fs::write(
                    corpus.join(format!("grown-{:016x}", digest(&input))),
                    &input,
                )
                .unwrap();
            }
            population.push(input);
        }
    }
    println!(
        "{target}: {tries} inputs, {} kinds of outcomes, seed {seed}",
        outcomes.len()
    );
}

/// Tries one input; one for which a property does not hold is kept in a file, which is named.
fn tried(target: &str, seed: u64, input: &[u8], holds: fn(&[u8]) -> String) -> String {
    catch_unwind(AssertUnwindSafe(|| holds(input))).unwrap_or_else(|_| {
        let found = stampede_tests::artifacts::target_folder().join(format!("fuzz-{target}-{:016x}", digest(input)));
        std::fs::write(&found, input).unwrap();
        panic!("a property does not hold (seed {seed}) for {}: mend it, and put the file into the corpus", found.display());
    })
}

fn digest(thing: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    thing.hash(&mut hasher);
    hasher.finish()
}

/// splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `most`, which is not 0.
    fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }
}

fn mutated(population: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = population[random.below(population.len())].clone();
    for _ in 0..=random.below(6) {
        let at = random.below(input.len() + 1);
        let end = (at + random.below(24)).min(input.len());
        match random.below(8) {
            0 => input.insert(at, random.next() as u8),
            1 if at < input.len() => input[at] ^= 1 << random.below(8),
            2 => drop(input.drain(at..end)),
            3 | 4 => drop(input.splice(at..at, WORDS[random.below(WORDS.len())].bytes())),
            5 => {
                // A piece of itself, once more or very often.
                let times = if random.below(20) == 0 {
                    random.below(2_000)
                } else {
                    1
                };
                let piece = input[at..end].repeat(times);
                drop(input.splice(end..end, piece));
            }
            _ => {
                let other = &population[random.below(population.len())];
                let from = random.below(other.len() + 1);
                let to = (from + random.below(64)).min(other.len());
                drop(input.splice(at..end, other[from..to].iter().copied()));
            }
        }
        input.truncate(MOST_BYTES);
    }
    input
}
