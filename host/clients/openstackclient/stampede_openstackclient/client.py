"""Requests to /api/v1 of a Stampede host over keystoneauth's session, and its problems in words."""

import time
from urllib import parse

from keystoneauth1 import adapter
from keystoneauth1 import exceptions as auth_exceptions
from osc_lib import exceptions

#: The type of the host's service in the cloud's catalog.
SERVICE_TYPE = "stampede"
BASE_PATH = "/api/v1"
#: How often a wait looks, in seconds.
LOOK_EVERY_S = 2
#: How many looks in a row may fail before a wait ends.
FAILED_LOOKS = 5
#: States in which a cluster goes on by itself.
MOVING = ("planned", "deploying", "updating", "deleting")
#: Clusters on a page of a list.
PAGE = 500
#: Pages of one list that are followed.
MAX_PAGES = 200


class NotFound(exceptions.CommandError):
    """There is no such thing."""


class Unavailable(exceptions.CommandError):
    """The host or the cloud does not answer for now."""


def told_problem(response):
    """An answer that is none, as a sentence, or a line for each problem (RFC 9457)."""
    kind = response.headers.get("Content-Type", "").split(";")[0].strip()
    document = None
    if kind == "application/problem+json":
        try:
            document = response.json()
        except ValueError:
            document = None
    if not isinstance(document, dict):
        text = " ".join(response.text.split())[:300] if kind == "text/plain" else ""
        return f"the host answered {response.status_code} {text or response.reason or ''}".rstrip()
    lines = []
    for problem in document.get("problems") or []:
        where = problem.get("attribute") or problem.get("path") or ""
        hint = problem.get("hint") or ""
        line = f"{where}: {problem.get('message')}" if where else str(problem.get("message"))
        lines.append(f"{line} ({hint})" if hint else line)
    text = "\n".join(lines) or document.get("detail") or document.get("title") or "refused"
    revision = document.get("current_revision")
    return f"{text}\nits revision is {revision} now" if revision else text


class HostClient:
    """A Stampede host."""

    def __init__(self, session, endpoint=None, region_name=None, interface=None):
        url = endpoint.rstrip("/") if endpoint else None
        self._adapter = adapter.Adapter(
            session=session,
            service_type=SERVICE_TYPE,
            region_name=region_name,
            interface=interface,
            endpoint_override=url,
            client_name="stampede-openstackclient",
        )
        self._base = None

    def _url(self, path):
        if self._base is None:
            try:
                found = self._adapter.endpoint_override or self._adapter.get_endpoint()
            except auth_exceptions.CatalogException:
                found = None
            if not found:
                raise exceptions.CommandError(
                    f"the catalog has no service of the type `{SERVICE_TYPE}` here; name the host's URL by "
                    "--os-stampede-endpoint or OS_STAMPEDE_ENDPOINT"
                )
            self._base = found.rstrip("/").removesuffix(BASE_PATH) + BASE_PATH
        return self._base + path

    def request(self, method, path, **kwargs):
        """The answer; every refusal is an error whose text says all that is wrong."""
        # A redirect would carry the token to wherever it leads.
        response = self._adapter.request(self._url(path), method, raise_exc=False, redirect=False, **kwargs)
        if 200 <= response.status_code < 300:
            return response
        told = told_problem(response)
        if response.status_code == 404:
            raise NotFound(told)
        if response.status_code in (502, 503):
            raise Unavailable(told)
        raise exceptions.CommandError(told)

    @staticmethod
    def _cluster(name):
        return "/clusters/" + parse.quote(name, safe="")

    def frameworks(self):
        return self.request("GET", "/frameworks").json()["frameworks"]

    def clusters(self, filters):
        """All clusters that the filters leave, page by page."""
        found, marker = [], None
        for _ in range(MAX_PAGES):
            params = {name: value for name, value in filters.items() if value}
            params["limit"] = PAGE
            if marker:
                params["marker"] = marker
            page = self.request("GET", "/clusters", params=params).json()
            found.extend(page["clusters"])
            last, marker = marker, page["next_marker"]
            if not marker:
                return found
            if marker == last:
                raise exceptions.CommandError("the host gives the same page of its list again and again")
        raise exceptions.CommandError(f"the host lists more than {MAX_PAGES} pages of clusters")

    def show(self, name):
        return self.request("GET", self._cluster(name)).json()

    def create(self, body, dry_run):
        params = {"dry_run": "true"} if dry_run else {}
        return self.request("POST", "/clusters", json=body, params=params).json()

    def change(self, name, attributes, dry_run, revision=None):
        params = {"dry_run": "true"} if dry_run else {}
        headers = {"If-Match": f'"{revision}"'} if revision else {}
        body = {"attributes": attributes}
        response = self.request("PATCH", self._cluster(name), json=body, params=params, headers=headers)
        return response.json()

    def delete(self, name):
        """Why Heat has not taken the deletion yet; none where it has."""
        response = self.request("DELETE", self._cluster(name))
        return response.json()["waits_for"] if response.status_code == 202 else None

    def follow(self, name, timeout_s, tell):
        """The cluster once it stands still; `tell` is given what is new."""
        told = set()

        def look():
            cluster = self.show(name)
            for line in news_of(cluster):
                if line not in told:
                    told.add(line)
                    tell(line)
            return None if cluster["state"] in MOVING else cluster

        return repeat(look, f"`{name}` stands still", timeout_s)

    def follow_deletion(self, name, cluster_id, timeout_s):
        """Ends when nothing is left of the cluster."""

        def look():
            left = self.clusters({"name": name, "deleting": "true"})
            if any(cluster["id"] == cluster_id for cluster in left):
                return None
            try:
                living = self.show(name)
            except NotFound:
                return True
            if living["id"] == cluster_id:
                raise exceptions.CommandError(f"the deletion of `{name}` was withdrawn: {living['warning'] or 'ask again'}")
            return True

        repeat(look, f"nothing is left of `{name}`", timeout_s)


def repeat(look, goal, timeout_s):
    """What a look gives once it is something. Some may fail for a while."""
    end = time.monotonic() + timeout_s if timeout_s else None
    failed = 0
    while True:
        try:
            found = look()
            failed = 0
        except (Unavailable, auth_exceptions.ConnectFailure):
            failed += 1
            if failed >= FAILED_LOOKS:
                raise
            found = None
        if found is not None:
            return found
        if end is not None and time.monotonic() + LOOK_EVERY_S > end:
            raise exceptions.CommandError(f"the time is over before {goal}; the work goes on")
        time.sleep(LOOK_EVERY_S)


def news_of(cluster):
    """What is to be said of a cluster, a line each."""
    for stage in cluster["stages"]:
        yield f"{stage['node'] or '-'}: {stage['text']}"
    for field in ("change", "failure", "warning"):
        if cluster[field]:
            yield cluster[field]
    yield f"{cluster['name']} is {cluster['state']}"
