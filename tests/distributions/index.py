"""index.py DIR - DIR/simple for the wheels in DIR/wheels: an index as PEP 503 says, each file with its SHA-256."""
import hashlib
import os
import re
import sys

root = sys.argv[1]
projects = {}
for wheel in sorted(os.listdir(root + "/wheels")):
    project = re.sub(r"[-_.]+", "-", wheel.split("-")[0]).lower()
    with open(f"{root}/wheels/{wheel}", "rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    projects.setdefault(project, []).append(f'<a href="../../wheels/{wheel}#sha256={digest}">{wheel}</a>')


def page(folder, links):
    os.makedirs(folder)
    with open(folder + "/index.html", "w") as out:
        out.write("<!DOCTYPE html>\n" + "<br>\n".join(links) + "\n")


page(root + "/simple", [f'<a href="{project}/">{project}</a>' for project in projects])
for project, links in projects.items():
    page(f"{root}/simple/{project}", links)
