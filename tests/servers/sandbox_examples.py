#!/usr/bin/env python3
"""Writes a copy of one of Amazon's API models whose example answers are Amazon's own static sandbox answers.

  sandbox_examples.py MODEL.json COPY.json

Amazon keeps them in an extension (`x-amzn-api-sandbox.static`) that mock servers do not read; a mock server reads
`examples`. The first static answer of each status becomes its example.
"""
import json
import sys

METHODS = ("get", "put", "post", "delete", "patch")


def main(model_path, copy_path):
    with open(model_path, encoding="utf-8") as file:
        model = json.load(file)
    moved = 0
    for path in model["paths"].values():
        for method in METHODS:
            for answer in path.get(method, {}).get("responses", {}).values():
                for case in answer.get("x-amzn-api-sandbox", {}).get("static", []):
                    if case.get("response") is not None:
                        answer["examples"] = {"application/json": case["response"]}
                        moved += 1
                        break
    with open(copy_path, "w", encoding="utf-8") as file:
        json.dump(model, file)
    if not moved:
        sys.exit(f"{model_path} has no static sandbox answers")


if __name__ == "__main__":
    main(*sys.argv[1:])
