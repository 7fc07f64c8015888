"""The same as a process, with the standard library alone, so that it starts at once: see `hostile`."""

import json
import os
import subprocess
import sys
import time


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


def call(name: str, request_id: int) -> None:
    match name:
        case "never":
            time.sleep(3_600)
        case "large" | "flood" | "answers":
            while True:
                pour(name, request_id)
        case "garbage":
            print("}{ this is a line of a log", flush=True)
            say(id=request_id, result={"content": [{"type": "text", "text": "said"}]})
        case "complains":
            sys.stderr.write("\x1b[2J\nERROR the site is broken\n" + "x" * 1_000_000)
            say(id=request_id, result={"content": [{"type": "text", "text": "said"}]})
        case "crash":
            os._exit(1)
        case "child":
            child = subprocess.Popen(["sleep", "3600"])
            say(id=request_id, result={"content": [{"type": "text", "text": f"{os.getpid()} {child.pid}"}]})
        case "other id":
            say(id=request_id + 1_000, result={"content": []})
        case _:
            say(id=request_id, result={"content": [{"type": "text", "text": "said"}]})


for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    match message["method"]:
        case "initialize":
            told = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}}
            say(id=message["id"], result={**told, "serverInfo": {"name": "hostile", "version": "1"}})
        case "tools/call":
            call(message["params"]["name"], message["id"])
        case _:
            say(id=message["id"], error={"code": -32601, "message": "no"})
if "--stays" in sys.argv:
    time.sleep(3_600)
