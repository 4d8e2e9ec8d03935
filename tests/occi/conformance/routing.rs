//! Section 1 of the recorded protocol: paths and methods.

use super::ExpectedResponse::{Begins, Body, Clusters, Has, Header, NoHeader, Status};
use super::RulePrecondition::{Initialised, Nothing};
use super::{ConformanceRule, RuleStep, differs, same};

const PATHS: &str = "Unknown paths are 404";
const TOKENS: &str = "A bad token is 401, a token of another project 403";

pub(super) const RULES: &[ConformanceRule] = &[
    same(
        "`/-/` is the query interface",
        Nothing,
        &[RuleStep(
            "GET /-/",
            "",
            &[Status(200), Begins("\nCategory: orchestrator; ")],
        )],
    ),
    same(
        "so is `/.well-known/org/ogf/occi/-/`",
        Nothing,
        &[RuleStep(
            "GET /.well-known/org/ogf/occi/-/",
            "",
            &[Status(200), Begins("\nCategory: orchestrator; ")],
        )],
    ),
    same(
        "PUT at the query interface is 405",
        Nothing,
        &[RuleStep(
            "PUT /-/",
            "",
            &[Status(405), Body("Method not supported.")],
        )],
    ),
    same(
        "POST at the query interface makes a mixin of the user and shows it",
        Nothing,
        &[RuleStep(
            "POST /-/\nContent-Type: text/occi\nCategory: mymix; scheme=\"http://example.org/m#\"; class=\"mixin\"; location=\"/mymix/\"",
            "",
            &[
                Status(200),
                Header("content-type", "text/plain"),
                Body(
                    "\nCategory: mymix; scheme=\"http://example.org/m#\"; class=\"mixin\"; location=\"http://{HOST}/mymix/\"",
                ),
            ],
        )],
    ),
    same(
        "DELETE at the query interface takes it away",
        Nothing,
        &[
            RuleStep(
                "POST /-/\nCategory: m; scheme=\"http://e#\"; class=\"mixin\"; location=\"/m/\"",
                "",
                &[Status(200)],
            ),
            RuleStep(
                "DELETE /-/\nCategory: m; scheme=\"http://e#\"; class=\"mixin\"",
                "",
                &[Status(200), Body("OK")],
            ),
            RuleStep(
                "GET /-/\nCategory: m; scheme=\"http://e#\"",
                "",
                &[Status(400)],
            ),
        ],
    ),
    same(
        "`/` is 200",
        Nothing,
        &[RuleStep(
            "GET /\nAccept: application/occi+json",
            "",
            &[Status(200), Body("[]")],
        )],
    ),
    differs(
        "`/` answers 200 to everybody and lists nothing",
        "`/` lists all instances and needs the headers",
        Initialised,
        &[
            RuleStep("GET /", "", &[Status(200), Body("")]),
            RuleStep(
                "!GET / HTTP/1.1\nHost: h\nConnection: close",
                "",
                &[Status(200), Body("")],
            ),
        ],
    ),
    differs(
        PATHS,
        "any path that ends in `/` is a collection: 200",
        Nothing,
        &[RuleStep("GET /nosuch/", "", &[Status(404)])],
    ),
    same(
        "a path without an instance is 404 with its sentence",
        Nothing,
        &[
            RuleStep(
                "GET /nosuch",
                "",
                &[Status(404), Body("Resource not found: '/nosuch'")],
            ),
            RuleStep(
                "GET /orchestrator/other",
                "",
                &[
                    Status(404),
                    Body("Resource not found: '/orchestrator/other'"),
                ],
            ),
        ],
    ),
    differs(
        PATHS,
        "PUT creates at any path",
        Nothing,
        &[RuleStep(
            "PUT /foo/bar\n{KIND}",
            "",
            &[Status(404), Clusters(&[])],
        )],
    ),
    same(
        "without X-Auth-Token 403 and its sentence, before anything else",
        Nothing,
        &[
            RuleStep(
                "!GET /-/ HTTP/1.1\nHost: h\nConnection: close",
                "",
                &[Status(403), Body("X-Auth-Token required...")],
            ),
            RuleStep(
                "!PUT /orchestrator/default HTTP/1.1\nHost: h\nConnection: close\nX-Tenant-Name: demo\n{KIND}",
                "",
                &[
                    Status(403),
                    Body("X-Auth-Token required..."),
                    Header("content-type", "text/plain"),
                    Clusters(&[]),
                ],
            ),
        ],
    ),
    same(
        "without X-Tenant-Name likewise",
        Nothing,
        &[RuleStep(
            "!GET /-/ HTTP/1.1\nHost: h\nConnection: close\nX-Auth-Token: x",
            "",
            &[Status(403), Body("X-Tenant-Name required...")],
        )],
    ),
    differs(
        "Every answer has one Content-Length and this program's Server header",
        "those answers have no Content-Length and another Server header",
        Nothing,
        &[RuleStep(
            "!GET /-/ HTTP/1.1\nHost: h\nConnection: close",
            "",
            &[Header("content-length", "24"), NoHeader("x-powered-by")],
        )],
    ),
    differs(
        TOKENS,
        "empty values of both headers pass",
        Nothing,
        &[RuleStep(
            "!GET /-/ HTTP/1.1\nHost: h\nConnection: close\nX-Auth-Token: \nX-Tenant-Name: ",
            "",
            &[Status(401)],
        )],
    ),
    differs(
        TOKENS,
        "no token is checked afterwards: another's shows and deletes all",
        Initialised,
        &[
            RuleStep(
                "!GET /orchestrator/default HTTP/1.1\nHost: h\nConnection: close\nX-Auth-Token: bad\nX-Tenant-Name: demo",
                "",
                &[Status(401), Has("token")],
            ),
            RuleStep(
                "!DELETE /orchestrator/default HTTP/1.1\nHost: h\nConnection: close\nX-Auth-Token: token-other\nX-Tenant-Name: other",
                "",
                &[Status(404), Clusters(&["default"])],
            ),
        ],
    ),
    differs(
        "Tokens are kept in memory, the last good one of each user in each project",
        "the token of the PUT is used for the whole life",
        Initialised,
        &[RuleStep(
            "!POST /orchestrator/default?action=deploy HTTP/1.1\nHost: h\nConnection: close\nX-Auth-Token: ended\nX-Tenant-Name: demo",
            "",
            &[Status(401)],
        )],
    ),
];
