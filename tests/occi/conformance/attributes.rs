//! Section 4 of the recorded protocol: attributes. The value of `v` is looked at in JSON, where it
//! stands whole.

use super::ExpectedResponse::{Has, Header, HeaderHas, Json, Lacks, Status};
use super::RulePrecondition::{Complete, Initialised};
use super::{ConformanceRule, RuleStep, differs, same};

const PLACE: &str = "What crashed is 400 with the place";
const ESCAPE: &str = "Values in text are percent-escaped";
const V: &str = "/attributes/v";

macro_rules! given {
    ($($line:literal => $json:literal),+) => {
        &[$(RuleStep(concat!("POST /orchestrator/default\nAccept: application/occi+json\nX-OCCI-Attribute: ", $line), "", &[Status(200), Json(V, $json)])),+]
    };
}

macro_rules! refused {
    ($($line:literal),+) => {
        &[$(RuleStep(concat!("POST /orchestrator/default\nX-OCCI-Attribute: ", $line), "", &[Status(400), Has("character ")])),+]
    };
}

pub(super) const RULES: &[ConformanceRule] = &[
    same(
        "items are separated by commas",
        Initialised,
        given!("a=1,v=2" => "\"2\"", "a=1, v=2" => "\"2\""),
    ),
    same(
        "blanks around an item are dropped, those inside stay",
        Initialised,
        given!("  v=two words\t" => "\"two words\""),
    ),
    same(
        "quotes are optional and removed, either kind",
        Initialised,
        given!("v=\"x\"" => "\"x\"", "v='x'" => "\"x\"", "v=x" => "\"x\""),
    ),
    same(
        "a backslash escapes inside double quotes",
        Initialised,
        given!("v=\"say \\\"hi\\\"\"" => "\"say \\\"hi\\\"\"", "v=\"a\\\\b\"" => "\"a\\\\b\""),
    ),
    same(
        "commas inside quotes are kept",
        Initialised,
        given!("v=\"p, q\"" => "\"p, q\""),
    ),
    same(
        "empty items are ignored; a leading `, ` is legal",
        Initialised,
        given!(", v=1" => "\"1\"", ",,v=1," => "\"1\""),
    ),
    same(
        "an item of blanks only is 400",
        Initialised,
        refused!("a=1, , v=2"),
    ),
    differs(
        "An unquoted `#` is a `#`",
        "an unquoted `#` drops the rest of the header",
        Initialised,
        given!("v=http://h/#x" => "\"http://h/#x\""),
    ),
    differs(
        PLACE,
        "an unpaired `'` is 500",
        Initialised,
        refused!("v=it's"),
    ),
    same(
        "the value is everything after the first `=`",
        Initialised,
        given!("v=x=y" => "\"x=y\"", "v=\"x=y\"" => "\"x=y\""),
    ),
    same(
        "of duplicates the last wins",
        Initialised,
        given!("v=1, v=1, v=2" => "\"2\""),
    ),
    same(
        "several header lines count",
        Initialised,
        given!("v=1\nX-OCCI-Attribute: v=2" => "\"2\""),
    ),
    differs(
        "Header lines are read one by one",
        "they are joined first, so that a quote left open in one swallows the next",
        Initialised,
        refused!("v=\"1\nX-OCCI-Attribute: b=\"2\""),
    ),
    same(
        "an item without `=` is 400",
        Initialised,
        &[RuleStep(
            "POST /orchestrator/default\nX-OCCI-Attribute: noequals",
            "",
            &[Status(400)],
        )],
    ),
    differs(
        PLACE,
        "it says `Mailformed Attribute description!`, not where",
        Initialised,
        refused!("noequals"),
    ),
    differs(
        PLACE,
        "an unbalanced quote is 500",
        Initialised,
        refused!("v=\"x"),
    ),
    same(
        "all values become texts",
        Initialised,
        given!("v=0.11" => "\"0.11\"", "v=true" => "\"true\""),
    ),
    differs(
        "100 headers, 112 KiB of them, 16 KiB a value",
        "a header of 100 KB is accepted, and any value",
        Initialised,
        &[RuleStep(
            "POST /orchestrator/default\nX-OCCI-Attribute: v={LONG}",
            "",
            &[Status(413), Has("16384")],
        )],
    ),
    same(
        "in answers every value stands in double quotes",
        Initialised,
        &[RuleStep(
            "GET /orchestrator/default",
            "",
            &[Has("\nX-OCCI-Attribute: a=\"1\"")],
        )],
    ),
    differs(
        ESCAPE,
        "nothing is escaped: a quote or a line break passes raw",
        Initialised,
        &[
            RuleStep(
                "POST /orchestrator/default\nContent-Type: application/json",
                "{\"attributes\": {\"v\": \"a\\r\\nb: \\\"\"}}",
                &[Status(200)],
            ),
            RuleStep(
                "GET /orchestrator/default",
                "",
                &[Has("v=\"a%0D%0Ab: %22\"")],
            ),
            RuleStep(
                "GET /orchestrator/default\nAccept: text/occi",
                "",
                &[HeaderHas("x-occi-attribute", "v=\"a%0D%0Ab: %22\"")],
            ),
        ],
    ),
    same(
        "text/occi joins with `, ` in one header line",
        Initialised,
        &[RuleStep(
            "GET /orchestrator/default\nAccept: text/occi",
            "",
            &[HeaderHas("x-occi-attribute", "a=\"1\", occi.core.id=\"")],
        )],
    ),
    differs(
        ESCAPE,
        "outputs that are no texts, and what is not ASCII, are 500 in text",
        Complete,
        &[
            RuleStep(
                "GET /orchestrator/default",
                "",
                &[
                    Status(200),
                    Has("list.RegionOne=\"[1,true,%22caf%C3%A9%22]\""),
                ],
            ),
            RuleStep(
                "GET /orchestrator/default\nAccept: text/occi",
                "",
                &[
                    Status(200),
                    HeaderHas("x-occi-attribute", "list.RegionOne=\"[1%2Ctrue%2C"),
                ],
            ),
        ],
    ),
    same(
        "JSON holds outputs with their types",
        Complete,
        &[RuleStep(
            "GET /orchestrator/default\nAccept: application/occi+json",
            "",
            &[Json(
                "/attributes/list.RegionOne",
                "[1, true, \"caf\u{e9}\"]",
            )],
        )],
    ),
    same(
        "a request line longer than 64 KB is 414",
        Initialised,
        &[RuleStep(
            "GET /{LONG}{LONG}{LONG}{LONG}",
            "",
            &[
                Status(414),
                Lacks("OK"),
                Header("content-type", "text/plain"),
            ],
        )],
    ),
];
