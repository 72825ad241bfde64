"""Validates rendered manifests by the strict schemas of several versions of Kubernetes: validate.py FIRST LAST FILE...

An object that is the same in several files is validated once. What is no part of Kubernetes has its schema in schemas/; what
has none is an error. Needs the package kubernetes-validate, which holds the schemas.
"""

import json
import multiprocessing
import pathlib
import re
import sys

import jsonschema
import yaml
from kubernetes_validate import utils
from referencing import Registry, Resource

OURS = pathlib.Path(__file__).parent / "schemas"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def objects(files):
    """Each different object, with the file in which it was found first."""
    found = {}
    for file in files:
        with open(file, encoding="utf-8") as text:
            for item in yaml.load_all(text, Loader=LOADER):
                if item:
                    found.setdefault(json.dumps(item), (pathlib.Path(file).name, item))
    return list(found.values())


def validators(version):
    folder = f"kubernetes-json-schema/v{version}.0-local-strict"
    definitions = utils.schema_contents(f"{folder}/_definitions.json", version)
    registry = Registry().with_resource("", Resource.from_contents(definitions))
    registry = Resource.from_contents(definitions) @ registry
    known = {}

    def of(kind, api):
        if (kind, api) not in known:
            own = OURS / f"{kind.lower()}.json"
            if own.exists():
                schema = json.loads(own.read_text(encoding="utf-8"))
            else:
                short = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api)
                schema = utils.schema_contents(f"{folder}/{kind.lower()}-{short}.json", version)
            known[kind, api] = jsonschema.Draft202012Validator(schema, registry=registry)
        return known[kind, api]

    return of


def check(job):
    version, items = job
    of = validators(version)
    faults = []
    for file, item in items:
        name = f"{version} {file}: {item.get('kind')}/{item.get('metadata', {}).get('name')}"
        try:
            faults += [
                f"{name}: {'.'.join(map(str, error.path))}: {error.message}"
                for error in of(item["kind"], item["apiVersion"]).iter_errors(item)
            ]
        except (FileNotFoundError, KeyError) as error:
            faults.append(f"{name}: there is no schema for it: {error}")
    return faults


def main():
    first, last = (int(version.split(".")[1]) for version in sys.argv[1:3])
    items = objects(sys.argv[3:])
    versions = [f"1.{minor}" for minor in range(first, last + 1)]
    with multiprocessing.Pool() as pool:
        faults = [fault for some in pool.map(check, [(version, items) for version in versions]) for fault in some]
    print("\n".join(faults) or f"{len(items)} objects are valid by Kubernetes {versions[0]} to {versions[-1]}")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
