//! An operator's tarballs of Java, for images whose distribution has none that will do, as texts:
//! `17=https://mirror.example.org/jdk-17.tar.gz#sha256=HEX`. Pure.

use serde::{Deserialize, Serialize};

use super::{
    Problem,
    limits::{MAX_JAVA_TARBALLS, MAX_JAVA_VERSION},
    parse_value::{parse_download_url, parse_number, split_list},
};

/// The checksums that are taken, by the name before their digits.
const SUMS: [(&str, usize); 2] = [("sha256", 64), ("sha512", 128)];
/// How one is written.
const FORM: &str =
    "such as 17=https://mirror.example.org/jdk-17.tar.gz#sha256= and 64 digits of 0-9 and a-f";

/// A Java of the operator's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JavaTarball {
    /// Such as 21.
    pub version: u32,
    /// Where it is.
    pub url: String,
    /// Its SHA-256 or SHA-512, in lower-case hexadecimal.
    pub sum: String,
}

impl JavaTarball {
    /// Whether it is of this range of versions.
    pub fn is_within(&self, oldest: u32, newest: u32) -> bool {
        (oldest..=newest).contains(&self.version)
    }
}

/// Whether it is a SHA-256 or a SHA-512 as nodes take it.
pub fn is_sum(text: &str) -> bool {
    let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    SUMS.iter().any(|(_, digits)| *digits == text.len()) && text.bytes().all(is_digit)
}

/// Tarballs by their versions, separated by commas or blanks, each version once. No message has a
/// URL in it, which may hold a secret.
pub(super) fn parse_javas(path: &str, value: &str) -> Result<Vec<JavaTarball>, Problem> {
    let mut javas: Vec<JavaTarball> = Vec::new();
    for (at, word) in split_list(value).enumerate() {
        let which = format!("entry {}", at + 1);
        let java = parse_java(path, word).map_err(|problem| Problem {
            message: format!("{which} {}", problem.message),
            ..problem
        })?;
        if javas.iter().any(|known| known.version == java.version) {
            let message = format!("{which} is a second tarball of Java {}", java.version);
            return Err(Problem::new(path, message, "one for each version"));
        }
        javas.push(java);
    }
    if javas.len() > MAX_JAVA_TARBALLS {
        let message = format!(
            "names {} tarballs, at most {MAX_JAVA_TARBALLS} are taken",
            javas.len()
        );
        return Err(Problem::new(path, message, ""));
    }
    javas.sort_by_key(|java| java.version);
    Ok(javas)
}

fn parse_java(path: &str, word: &str) -> Result<JavaTarball, Problem> {
    let wrong = |message: &str| Problem::new(path, message, FORM);
    let (version, rest) = word
        .split_once('=')
        .filter(|(version, _)| !version.contains(':'))
        .ok_or_else(|| wrong("does not begin with a version and `=`"))?;
    let version = parse_number(path, version, 1, MAX_JAVA_VERSION)
        .map_err(|_| wrong(&format!("has no version from 1 to {MAX_JAVA_VERSION}")))?;
    let (url, sum) = rest
        .rsplit_once('#')
        .ok_or_else(|| wrong("has no checksum"))?;
    let digits = SUMS.iter().find_map(|(name, digits)| {
        let said = sum.strip_prefix(name)?.strip_prefix('=')?;
        (said.len() == *digits && is_sum(said)).then_some(said)
    });
    let sum = digits.ok_or_else(|| {
        wrong("has a checksum that is no SHA-256 and no SHA-512 in lower-case hexadecimal")
    })?;
    Ok(JavaTarball {
        version,
        url: parse_download_url(path, url)?,
        sum: sum.to_owned(),
    })
}

/// The same as a text.
pub(super) fn render_javas(javas: &[JavaTarball]) -> Option<String> {
    let word = |java: &JavaTarball| {
        let known = SUMS.iter().find(|(_, digits)| *digits == java.sum.len());
        let name = known.map_or("sha256", |(name, _)| name);
        format!("{}={}#{name}={}", java.version, java.url, java.sum)
    };
    let words: Vec<String> = javas.iter().map(word).collect();
    (!words.is_empty()).then(|| words.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(version: usize) -> String {
        let sum = "a".repeat(64);
        format!("{version}=https://mirror.example.org/{version}.tar.gz#sha256={sum}")
    }

    #[test]
    fn the_text_of_tarballs_says_the_same_again() {
        let long = "0f".repeat(64);
        let text = format!(
            "21=http://198.51.100.7:8900/j(21)+x.tar.gz#sha512={long}, {}",
            word(17)
        );
        let javas = parse_javas("java.tarballs", &text).unwrap();
        assert_eq!(
            javas.iter().map(|java| java.version).collect::<Vec<_>>(),
            [17, 21]
        );
        assert_eq!(javas[1].url, "http://198.51.100.7:8900/j(21)+x.tar.gz");
        assert_eq!((javas[0].sum.len(), javas[1].sum.len()), (64, 128));
        assert!(javas[0].is_within(11, 17) && !javas[0].is_within(18, 21));
        let again = render_javas(&javas).unwrap();
        assert_eq!(parse_javas("java.tarballs", &again), Ok(javas));
        assert_eq!(render_javas(&[]), None);
    }

    #[test]
    fn so_many_are_taken_and_not_one_more() {
        let some = |count: usize| {
            let words: Vec<String> = (1..=count).map(word).collect();
            parse_javas("java.tarballs", &words.join(" "))
        };
        assert_eq!(some(MAX_JAVA_TARBALLS).unwrap().len(), MAX_JAVA_TARBALLS);
        let told = some(MAX_JAVA_TARBALLS + 1).unwrap_err().to_string();
        assert!(told.contains("at most 8"), "{told}");
    }

    #[test]
    fn what_is_wrong_is_told_without_the_url() {
        let (sum, most) = ("a".repeat(64), MAX_JAVA_VERSION as usize);
        for right in [word(1), word(most)] {
            assert!(parse_javas("java.tarballs", &right).is_ok(), "{right}");
        }
        for (wrong, said) in [
            (
                format!("https://host/x?a=hunter2#sha256={sum}"),
                "a version",
            ),
            (word(0), "no version"),
            (word(most + 1), "no version"),
            (format!("x=https://host/hunter2#sha256={sum}"), "no version"),
            ("17=https://host/hunter2".to_owned(), "no checksum"),
            ("17=https://host/hunter2#sha256=".to_owned(), "no SHA-256"),
            (format!("17=https://hunter2#md5={sum}"), "no SHA-256"),
            (format!("17=https://hunter2#sha512={sum}"), "no SHA-256"),
            (
                format!("17=https://hunter2#sha256={}", &sum[1..]),
                "no SHA-256",
            ),
            (
                format!("17=https://hunter2#sha256={}", sum.to_uppercase()),
                "no SHA-256",
            ),
            (
                format!("17=https://u:hunter2@host/x#sha256={sum}"),
                "user name",
            ),
            (format!("17=https://host/x?hunter2#sha256={sum}"), "`?`"),
            (format!("17=ftp://host/hunter2#sha256={sum}"), "http://"),
            (
                format!("17=https://host/hunter2'x#sha256={sum}"),
                "percent-encoded",
            ),
            (format!("{} {}", word(17), word(17)), "second tarball"),
        ] {
            let told = parse_javas("java.tarballs", &wrong)
                .unwrap_err()
                .to_string();
            assert!(
                told.contains(said) && told.contains("entry "),
                "{wrong}: {told}"
            );
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
}
