//! Section 5 of the recorded protocol: renderings.

use super::ExpectedResponse::{
    Begins, Body, Has, Header, HeaderHas, Json, Lacks, NoHeader, Status,
};
use super::RulePrecondition::{Complete, Deployed, Initialised, Nothing, Provisioned};
use super::{ConformanceRule, RuleStep, differs, same};

const MORE: &str = "Answers carry more attributes than the recorded ones";
const MIXINS: &str =
    "Every attribute of an entity is defined by its kind or by a mixin that is attached";
const WIRE: &str = "Every answer has one Content-Length and this program's Server header";
const HTTP: &str = "HTTP/1.1 with keep-alive, many clients at once";
const OCCI: &str = "GET /orchestrator/default\nAccept: text/occi";
const PLAIN: &str = "GET /orchestrator/default\nAccept: text/plain";
const JSON: &str = "GET /orchestrator/default\nAccept: application/occi+json";
const KIND_LINE: &str = "orchestrator; scheme=\"{S}\"; class=\"kind\"; rel=\"http://schemas.ogf.org/occi/core#resource\"; \
    location=\"http://{HOST}/orchestrator/\"; attributes=\"occi.mcn.stack.state{immutable} occi.mcn.stack.id{immutable}\"; \
    actions=\"{S}deploy {S}provision\"";
const KIND_JSON: &str = "{\"actions\": [\"{S}deploy\", \"{S}provision\"], \
    \"attributes\": {\"occi.mcn.stack.id\": \"immutable\", \"occi.mcn.stack.state\": \"immutable\"}, \"location\": \"/orchestrator/\", \
    \"related\": [\"http://schemas.ogf.org/occi/core#resource\"], \"scheme\": \"{S}\", \"term\": \"orchestrator\"}";

pub(super) const RULES: &[ConformanceRule] = &[
    same(
        "text/occi: Category, Link and X-OCCI-Attribute in headers, the body `OK`",
        Initialised,
        &[RuleStep(
            OCCI,
            "",
            &[
                Status(200),
                Body("OK"),
                Header("content-type", "text/occi"),
                Header("content-length", "2"),
                HeaderHas("category", KIND_LINE),
                Header(
                    "link",
                    "</orchestrator/default?action=deploy>; rel=\"{S}deploy\"",
                ),
                HeaderHas(
                    "x-occi-attribute",
                    "occi.core.id=\"/orchestrator/default\", occi.mcn.stack.id=\"N/A\", occi.mcn.stack.state=\"uninitialized\"",
                ),
            ],
        )],
    ),
    same(
        "text/plain: an empty line, Category, Link, a line for each attribute, no newline at the end",
        Initialised,
        &[
            RuleStep(
                PLAIN,
                "",
                &[Begins(
                    "\nCategory: orchestrator; scheme=\"{S}\"; class=\"kind\"; rel=\"http://schemas.ogf.org/occi/core#resource\"; ",
                )],
            ),
            RuleStep(
                PLAIN,
                "",
                &[Has(
                    "\nLink: </orchestrator/default?action=deploy>; rel=\"{S}deploy\"\nX-OCCI-Attribute: a=\"1\"\n",
                )],
            ),
            RuleStep(
                PLAIN,
                "",
                &[
                    Has("\nX-OCCI-Attribute: occi.mcn.stack.id=\"N/A\"\n"),
                    Lacks("\"\n\n"),
                    Lacks("\r"),
                ],
            ),
        ],
    ),
    same(
        "JSON: actions, attributes, kind, links, mixins",
        Initialised,
        &[RuleStep(
            JSON,
            "",
            &[
                Header("content-type", "application/occi+json"),
                Json(
                    "/actions",
                    "[{\"kind\": {\"scheme\": \"{S}\", \"term\": \"deploy\"}, \"link\": \"/orchestrator/default?action=deploy\"}]",
                ),
                Json("/kind", KIND_JSON),
                Json("/links", "[]"),
                Json("/attributes/a", "\"1\""),
                Begins("{\n  \"actions\": [\n    {\n      \"kind\": {"),
            ],
        )],
    ),
    differs(
        MORE,
        "`occi.core.id` is in JSON only after a text or HTML rendering; nothing else is shown",
        Initialised,
        &[RuleStep(
            JSON,
            "",
            &[
                Json("/attributes/occi.core.id", "\"/orchestrator/default\""),
                Json("/attributes/stampede.state", "\"requested\""),
            ],
        )],
    ),
    differs(
        MIXINS,
        "an entity has no mixin but its project's own",
        Initialised,
        &[
            RuleStep(
                JSON,
                "",
                &[Json(
                    "/mixins/0",
                    "{\"scheme\": \"urn:x-stampede:framework#\", \"term\": \"cluster\"}",
                )],
            ),
            RuleStep(
                OCCI,
                "",
                &[HeaderHas(
                    "category",
                    "\", cluster; scheme=\"urn:x-stampede:framework#\"; class=\"mixin\"",
                )],
            ),
        ],
    ),
    differs(
        MIXINS,
        "the query interface lists no kind but its own",
        Nothing,
        &[RuleStep(
            "GET /-/",
            "",
            &[
                Has(
                    "\nCategory: entity; scheme=\"http://schemas.ogf.org/occi/core#\"; class=\"kind\"",
                ),
                Has(
                    "\nCategory: resource; scheme=\"http://schemas.ogf.org/occi/core#\"; class=\"kind\"",
                ),
                Has(
                    "\nCategory: link; scheme=\"http://schemas.ogf.org/occi/core#\"; class=\"kind\"",
                ),
            ],
        )],
    ),
    same(
        "after deploy the link says provision, after provision there is none and `actions` is empty",
        Complete,
        &[
            RuleStep(
                OCCI,
                "",
                &[Header(
                    "link",
                    "</orchestrator/default?action=provision>; rel=\"{S}provision\"",
                )],
            ),
            RuleStep(
                "POST /orchestrator/default?action=provision\n{PROVISION}",
                "",
                &[Status(200)],
            ),
            RuleStep(OCCI, "", &[NoHeader("link")]),
            RuleStep(PLAIN, "", &[Lacks("Link:")]),
            RuleStep(JSON, "", &[Json("/actions", "[]")]),
        ],
    ),
    same(
        "an empty collection: no header in text/occi, an empty body, `[]`, the remark alone",
        Nothing,
        &[
            RuleStep(
                "GET /orchestrator/\nAccept: text/occi",
                "",
                &[Status(200), NoHeader("x-occi-location"), Body("OK")],
            ),
            RuleStep(
                "GET /orchestrator/\nAccept: text/plain",
                "",
                &[Status(200), Body("")],
            ),
            RuleStep(
                "GET /orchestrator/\nAccept: application/occi+json",
                "",
                &[Status(200), Body("[]")],
            ),
            RuleStep(
                "GET /orchestrator/\nAccept: text/uri-list",
                "",
                &[Status(200), Body("# uri:/orchestrator/")],
            ),
        ],
    ),
    same(
        "a collection: X-OCCI-Location in a header, in lines, whole objects in JSON, URLs in a list",
        Initialised,
        &[
            RuleStep("PUT /orchestrator/second\n{KIND}", "", &[Status(201)]),
            RuleStep(
                "GET /orchestrator/\nAccept: text/occi",
                "",
                &[
                    Header(
                        "x-occi-location",
                        "http://{HOST}/orchestrator/default, http://{HOST}/orchestrator/second",
                    ),
                    Body("OK"),
                ],
            ),
            RuleStep(
                "GET /orchestrator/\nAccept: */*",
                "",
                &[Body(
                    "\nX-OCCI-Location: http://{HOST}/orchestrator/default\nX-OCCI-Location: http://{HOST}/orchestrator/second",
                )],
            ),
            RuleStep(
                "GET /orchestrator/\nAccept: application/occi+json",
                "",
                &[Json("/0/kind", KIND_JSON), Json("/1/links", "[]")],
            ),
            RuleStep(
                "GET /orchestrator/\nAccept: text/uri-list",
                "",
                &[Body(
                    "# uri:/orchestrator/\nhttp://{HOST}/orchestrator/default\nhttp://{HOST}/orchestrator/second",
                )],
            ),
        ],
    ),
    same(
        "the query interface: the kind, then the actions provision and deploy",
        Nothing,
        &[
            RuleStep(
                "GET /-/\nAccept: text/occi",
                "",
                &[
                    HeaderHas(
                        "category",
                        "\", provision; scheme=\"{S}\"; class=\"action\", deploy; scheme=\"{S}\"; class=\"action\"",
                    ),
                    Body("OK"),
                ],
            ),
            RuleStep(
                "GET /-/",
                "",
                &[Has(
                    "\nCategory: provision; scheme=\"{S}\"; class=\"action\"\nCategory: deploy; scheme=\"{S}\"; class=\"action\"",
                )],
            ),
            RuleStep(
                "GET /-/\nAccept: application/occi+json",
                "",
                &[
                    Json("/0", KIND_JSON),
                    Json("/1/term", "\"provision\""),
                    Json("/2", "{\"scheme\": \"{S}\", \"term\": \"deploy\"}"),
                ],
            ),
            RuleStep(
                "GET /-/\nAccept: text/occi\n{DEPLOY}",
                "",
                &[Header(
                    "category",
                    "deploy; scheme=\"{S}\"; class=\"action\"",
                )],
            ),
        ],
    ),
    differs(
        "Frameworks are mixins, scheme `urn:x-stampede:framework#`",
        "and nothing more",
        Nothing,
        &[RuleStep(
            "GET /-/",
            "",
            &[Has(
                "\nCategory: hadoop; scheme=\"urn:x-stampede:framework#\"; class=\"mixin\"",
            )],
        )],
    ),
    same(
        "URLs name the Host header; without one, the address and port that were asked",
        Initialised,
        &[
            RuleStep(
                "GET /orchestrator/\nHost: so.example.org\nAccept: text/uri-list",
                "",
                &[Has("\nhttp://so.example.org/orchestrator/default")],
            ),
            RuleStep(
                "!GET /orchestrator/ HTTP/1.0\nX-Auth-Token: token-demo\nX-Tenant-Name: demo",
                "",
                &[Body(
                    "\nX-OCCI-Location: http://{HOST}/orchestrator/default",
                )],
            ),
        ],
    ),
    same(
        "the state is `uninitialized` and the id `N/A` until deploy",
        Initialised,
        &[RuleStep(
            JSON,
            "",
            &[
                Json("/attributes/occi.mcn.stack.state", "\"uninitialized\""),
                Json("/attributes/occi.mcn.stack.id", "\"N/A\""),
            ],
        )],
    ),
    same(
        "then Heat's status, and region and id of the stack",
        Complete,
        &[RuleStep(
            JSON,
            "",
            &[
                Json("/attributes/occi.mcn.stack.state", "\"CREATE_COMPLETE\""),
                Json("/attributes/occi.mcn.stack.id", "\"Region One:9445a2fc\""),
            ],
        )],
    ),
    same(
        "outputs are `<output>.<region without blanks>`; attributes that were given stay",
        Provisioned,
        &[RuleStep(
            JSON,
            "",
            &[
                Json("/attributes/p1.RegionOne", "\"10.0.0.1\""),
                Json("/attributes/a", "\"1\""),
            ],
        )],
    ),
    differs(
        "The answer to deploy shows the state after it",
        "the answer to deploy still shows the state before it",
        Initialised,
        &[RuleStep(
            "POST /orchestrator/default?action=deploy\n{DEPLOY}",
            "",
            &[Has("occi.mcn.stack.state=\"CREATE_IN_PROGRESS\"")],
        )],
    ),
    same(
        "errors are text/plain",
        Nothing,
        &[RuleStep(
            "GET /nosuch\nAccept: application/occi+json",
            "",
            &[Status(404), Header("content-type", "text/plain")],
        )],
    ),
    differs(
        "HTML is made of templates that escape every value",
        "also for browsers",
        Nothing,
        &[RuleStep(
            "GET /nosuch\nAccept: text/html",
            "",
            &[Status(404), Has("<main>")],
        )],
    ),
    differs(
        WIRE,
        "errors have two Content-Length headers",
        Nothing,
        &[RuleStep(
            "GET /nosuch",
            "",
            &[Header("content-length", "29")],
        )],
    ),
    differs(
        WIRE,
        "Server is `pyssf OCCI/1.1`",
        Nothing,
        &[RuleStep(
            "GET /",
            "",
            &[
                HeaderHas("server", "stampede/"),
                HeaderHas("server", " OCCI/1.1"),
            ],
        )],
    ),
    differs(
        "What crashed is 400 with the place",
        "what is not caught is 500 `A server error occurred.  Please contact the administrator.`",
        Deployed,
        &[RuleStep(
            "POST /orchestrator/default\nX-OCCI-Attribute: a=\"b",
            "",
            &[
                Status(400),
                Begins("header X-OCCI-Attribute: character 3: "),
            ],
        )],
    ),
    differs(
        HTTP,
        "HTTP/1.0, and the connection is closed after each answer",
        Nothing,
        &[RuleStep(
            "!GET / HTTP/1.1\nHost: h\n\nGET / HTTP/1.1\nHost: h\nConnection: close",
            "",
            &[Has("HTTP/1.1 200 OK")],
        )],
    ),
    differs(
        HTTP,
        "one client at a time: an idle connection blocks all others",
        Nothing,
        &[RuleStep(
            "!GET / HTTP/1.1\nHost: h\n\nGET /-/ HTTP/1.1\nHost: h\nConnection: close",
            "",
            &[Has("X-Auth-Token required...")],
        )],
    ),
];
