#!/usr/bin/env python3
"""Writes an OpenAPI document so that Stoplight Prism can play it: prism_model.py IN OUT

A response header whose schema is an object cannot be made by Prism 5; those of ShipBob's model are numbers and
addresses. They become texts: one page of one, and no next page."""
import json
import sys

SCALARS = {"string", "integer", "number", "boolean"}
ONE = {"Page-Number", "Total-Pages", "Total-Count", "Page-Size"}


def resolve(document, schema):
    while "$ref" in schema:
        node = document
        for name in schema["$ref"].lstrip("#/").split("/"):
            node = node[name]
        schema = node
    return schema


def main(source, target):
    with open(source, encoding="utf-8") as file:
        document = json.load(file)
    changed = 0
    for methods in document["paths"].values():
        for operation in methods.values():
            if not isinstance(operation, dict):
                continue
            for answer in operation.get("responses", {}).values():
                headers = answer.get("headers", {})
                for name in list(headers):
                    schema = resolve(document, headers[name].get("schema", {}))
                    if schema.get("type") in SCALARS:
                        continue
                    changed += 1
                    if name in ONE:
                        headers[name]["schema"] = {"type": "string", "example": "1"}
                    else:
                        del headers[name]
    with open(target, "w", encoding="utf-8") as file:
        json.dump(document, file)
    print(f"{changed} headers")


main(sys.argv[1], sys.argv[2])
