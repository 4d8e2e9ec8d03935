//! Section 2 of the recorded protocol: media types of requests and answers.

use super::ExpectedResponse::{Begins, Body, Clusters, Has, Header, Status};
use super::RulePrecondition::{Initialised, Nothing};
use super::{ConformanceRule, RuleStep, differs, same};

const STANDARD: &str = "The JSON of OCCI 1.2 is answered to who asks for it";
const ACCEPT: &str = "Accept is honoured with its q values and parameters";
const CONTENT: &str = "Category and attribute headers count whatever the Content-Type says";

pub(super) const RULES: &[ConformanceRule] = &[
    same(
        "of equal ones the first listed type that is known wins",
        Initialised,
        &[
            RuleStep(
                "GET /orchestrator/default\nAccept: application/occi+json, text/plain",
                "",
                &[Header("content-type", "application/occi+json")],
            ),
            RuleStep(
                "GET /orchestrator/default\nAccept: image/png, text/occi, text/plain",
                "",
                &[Header("content-type", "text/occi")],
            ),
        ],
    ),
    differs(
        ACCEPT,
        "q values are ignored",
        Initialised,
        &[RuleStep(
            "GET /orchestrator/default\nAccept: text/plain;q=0.1, text/occi;q=0.9",
            "",
            &[Header("content-type", "text/occi")],
        )],
    ),
    same(
        "`*/*` and no Accept are text/plain",
        Initialised,
        &[
            RuleStep(
                "GET /orchestrator/default\nAccept: */*",
                "",
                &[Status(200), Header("content-type", "text/plain")],
            ),
            RuleStep(
                "GET /orchestrator/default",
                "",
                &[Status(200), Header("content-type", "text/plain")],
            ),
        ],
    ),
    same(
        "an unknown type is 406",
        Nothing,
        &[RuleStep(
            "GET /-/\nAccept: application/xml",
            "",
            &[Status(406)],
        )],
    ),
    differs(
        STANDARD,
        "application/json is unknown: 406",
        Nothing,
        &[RuleStep(
            "GET /-/\nAccept: application/json",
            "",
            &[Status(200), Header("content-type", "application/json")],
        )],
    ),
    differs(
        ACCEPT,
        "the 406 says `This service is unable to understand the mime type`, not which are understood",
        Nothing,
        &[RuleStep(
            "GET /-/\nAccept: application/xml",
            "",
            &[Has("application/occi+json")],
        )],
    ),
    differs(
        ACCEPT,
        "`text/occi; charset=utf-8` is 406",
        Nothing,
        &[RuleStep(
            "GET /-/\nAccept: text/occi; charset=utf-8",
            "",
            &[Status(200), Header("content-type", "text/occi")],
        )],
    ),
    same(
        "text/occi, text/plain, application/occi+json and text/uri-list are known",
        Nothing,
        &[
            RuleStep(
                "GET /orchestrator/\nAccept: text/occi",
                "",
                &[Status(200), Header("content-type", "text/occi")],
            ),
            RuleStep(
                "GET /orchestrator/\nAccept: text/plain",
                "",
                &[Status(200), Header("content-type", "text/plain")],
            ),
            RuleStep(
                "GET /orchestrator/\nAccept: application/occi+json",
                "",
                &[Status(200), Header("content-type", "application/occi+json")],
            ),
            RuleStep(
                "GET /orchestrator/\nAccept: text/uri-list",
                "",
                &[Status(200), Header("content-type", "text/uri-list")],
            ),
        ],
    ),
    same(
        "so are text/html and, for the same, application/x-www-form-urlencoded; a browser gets HTML",
        Nothing,
        &[
            RuleStep(
                "GET /orchestrator/\nAccept: text/html",
                "",
                &[Status(200), Has("<html")],
            ),
            RuleStep(
                "GET /orchestrator/\nAccept: application/x-www-form-urlencoded",
                "",
                &[Status(200), Has("<html")],
            ),
            RuleStep(
                "GET /-/\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                "",
                &[Status(200), Has("<html")],
            ),
        ],
    ),
    differs(
        "HTML is made of templates that escape every value",
        "the pages' looks, and their type without a charset",
        Nothing,
        &[RuleStep(
            "GET /-/\nAccept: text/html",
            "",
            &[
                Header("content-type", "text/html; charset=utf-8"),
                Begins("<!doctype html>"),
            ],
        )],
    ),
    differs(
        CONTENT,
        "a Content-Type must be one of them to the letter, else 406",
        Nothing,
        &[RuleStep(
            "PUT /orchestrator/default\nContent-Type: text/occi; charset=utf-8\n{KIND}",
            "",
            &[Status(201)],
        )],
    ),
    differs(
        CONTENT,
        "without a Content-Type headers are not looked at",
        Nothing,
        &[RuleStep(
            "PUT /orchestrator/default\n{KIND}",
            "",
            &[Status(201)],
        )],
    ),
    same(
        "a text/plain body is read",
        Nothing,
        &[
            RuleStep(
                "PUT /orchestrator/default\nContent-Type: text/plain",
                "{KIND}\nX-OCCI-Attribute: two=\"two words\"",
                &[Status(201)],
            ),
            RuleStep(
                "GET /orchestrator/default",
                "",
                &[Has("\nX-OCCI-Attribute: two=\"two words\"")],
            ),
        ],
    ),
    differs(
        CONTENT,
        "JSON bodies are 500",
        Initialised,
        &[RuleStep(
            "POST /orchestrator/default\nContent-Type: application/occi+json",
            "{\"attributes\": {\"b\": 2}}",
            &[Status(200), Has("b=\"2\"")],
        )],
    ),
    differs(
        CONTENT,
        "form bodies are 500",
        Initialised,
        &[RuleStep(
            "POST /orchestrator/default\nContent-Type: application/x-www-form-urlencoded",
            "b=2",
            &[Status(415)],
        )],
    ),
    differs(
        ACCEPT,
        "a PUT with a bad Accept is 406 but has created the instance",
        Nothing,
        &[RuleStep(
            "PUT /orchestrator/default\n{KIND}\nAccept: application/xml",
            "",
            &[Status(406), Clusters(&[])],
        )],
    ),
    same(
        "a uri-list is of collections",
        Initialised,
        &[RuleStep(
            "GET /orchestrator/\nAccept: text/uri-list",
            "",
            &[Body(
                "# uri:/orchestrator/\nhttp://{HOST}/orchestrator/default",
            )],
        )],
    ),
    differs(
        ACCEPT,
        "a uri-list of the query interface is 400, of a resource 405",
        Initialised,
        &[
            RuleStep("GET /-/\nAccept: text/uri-list", "", &[Status(406)]),
            RuleStep(
                "GET /orchestrator/default\nAccept: text/uri-list",
                "",
                &[Status(406)],
            ),
        ],
    ),
];
