"""The same as a process, with the standard library alone, so that it starts at once: see `hostile`.

With `--tools` it lists tools, for turns.
"""

import json
import os
import subprocess
import sys
import time

TOOLS = [
    {"name": name, "description": "A tool.", "inputSchema": {"type": "object", "properties": properties}}
    for name, properties in {"crash": {}, "echo": {"text": {"type": "string"}}, "environment": {}}.items()
]


def say(**message: object) -> None:
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def pour(name: str, request_id: int) -> None:
    match name:
        case "large":
            sys.stdout.write("x" * 65_536)
        case "flood":
            say(method="notifications/progress", params={"progressToken": request_id, "progress": 1})
        case "answers":
            say(id=request_id + 1_000, result={})


def tell(request_id: int, text: str) -> None:
    say(id=request_id, result={"content": [{"type": "text", "text": text}]})


def answer(name: str, arguments: dict[str, str]) -> str:
    return ",".join(sorted(os.environ)) if name == "environment" else arguments.get("text", "said")


def call(name: str, arguments: dict[str, str], request_id: int) -> None:
    match name:
        case "never":
            time.sleep(3_600)
        case "large" | "flood" | "answers":
            while True:
                pour(name, request_id)
        case "garbage":
            print("}{ this is a line of a log", flush=True)
            tell(request_id, "said")
        case "complains":
            sys.stderr.write("\x1b[2J\nERROR the site is broken\n" + "x" * 1_000_000)
            tell(request_id, "said")
        case "crash":
            os._exit(1)
        case "child":
            child = subprocess.Popen(["sleep", "3600"])
            tell(request_id, f"{os.getpid()} {child.pid}")
        case "other id":
            say(id=request_id + 1_000, result={"content": []})
        case _:
            tell(request_id, answer(name, arguments))


for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    match message["method"]:
        case "initialize":
            told = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}}
            say(id=message["id"], result={**told, "serverInfo": {"name": "hostile", "version": "1"}})
        case "tools/call":
            call(message["params"]["name"], message["params"].get("arguments") or {}, message["id"])
        case "tools/list" if "--tools" in sys.argv:
            say(id=message["id"], result={"tools": TOOLS})
        case _:
            say(id=message["id"], error={"code": -32601, "message": "no"})
if "--stays" in sys.argv:
    time.sleep(3_600)
