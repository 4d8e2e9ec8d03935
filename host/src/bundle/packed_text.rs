//! Packs what user data has no room for plain: bzip2, which makes a sixth less of scripts than gzip
//! does, in base85, which makes five characters of four bytes. Nodes unpack it by the Python that
//! cloud-init itself is written in. Pure.

use std::io::Write as _;

use bzip2::{Compression, write::BzEncoder};

/// The command that prints what [`pack_text`] has packed and is given on standard input.
pub(super) const UNPACK: &str = "python3 -c 'import base64, bz2, sys; \
    sys.stdout.buffer.write(bz2.decompress(base64.b85decode(\"\".join(sys.stdin.read().split()))))'";
/// Characters of a line.
pub(super) const LINE_CHARS: usize = 1_000;
/// The characters of base85 as Python and RFC 1924 have them.
const DIGITS: &[u8; 85] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

/// The text packed, in lines.
pub(super) fn pack_text(text: &str) -> String {
    in_lines(&packed_digits(text))
}

/// Digits, in lines.
pub(super) fn in_lines(digits: &[u8]) -> String {
    let lines = digits.chunks(LINE_CHARS).map(String::from_utf8_lossy);
    lines.flat_map(|line| [line, "\n".into()]).collect()
}

/// The text packed, in one line. Always the same bytes: no name, no time.
pub(super) fn packed_digits(text: &str) -> Vec<u8> {
    // A block that holds all of it: a larger one takes megabytes, and makes it no smaller.
    let hundreds = u32::try_from(text.len() / 100_000).unwrap_or(u32::MAX);
    let level = hundreds.saturating_add(2).min(9);
    let mut encoder = BzEncoder::new(Vec::new(), Compression::new(level));
    // a Vec takes every write
    let _ = encoder.write_all(text.as_bytes());
    encode_base85(&encoder.finish().unwrap_or_default())
}

/// Five digits for four bytes; of a last group that is shorter, one more than it has bytes.
fn encode_base85(bytes: &[u8]) -> Vec<u8> {
    let mut digits = Vec::with_capacity(bytes.len().div_ceil(4) * 5);
    for group in bytes.chunks(4) {
        let mut padded = [0; 4];
        padded[..group.len()].copy_from_slice(group);
        let number = u32::from_be_bytes(padded);
        let place = |place: u32| DIGITS[(number / 85_u32.pow(place) % 85) as usize];
        digits.extend((0..5).rev().map(place).take(group.len() + 1));
    }
    digits
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::*;

    fn unpacked(packed: &str) -> String {
        let mut python = Command::new("bash")
            .args(["-c", UNPACK])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = python.stdin.take().unwrap();
        input.write_all(packed.as_bytes()).unwrap();
        drop(input);
        String::from_utf8(python.wait_with_output().unwrap().stdout).unwrap()
    }

    #[test]
    fn digits_are_pythons_for_every_length_of_the_last_group() {
        assert_eq!(encode_base85(b""), b"");
        for (bytes, wanted) in [
            (&b"\0"[..], "00"),
            (b"\xff", "{{"),
            (b"ab", "VPX"),
            (b"abc", "VPaz"),
            (b"abcd", "VPa!s"),
            (b"\xff\xff\xff\xff", "|NsC0"),
            (b"abcde", "VPa!sWd"),
        ] {
            let digits = String::from_utf8(encode_base85(bytes)).unwrap();
            assert_eq!(digits, wanted, "{bytes:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn any_text_comes_out_as_it_went_in(text in any::<String>(), more in 0_usize..6_000) {
            let text = format!("{text}{}", "some words, ".repeat(more));
            let packed = pack_text(&text);
            prop_assert_eq!(&packed, &pack_text(&text));
            prop_assert!(packed.lines().all(|line| line.len() <= LINE_CHARS));
            prop_assert_eq!(unpacked(&packed), text);
        }
    }
}
