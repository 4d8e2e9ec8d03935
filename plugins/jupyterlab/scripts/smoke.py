# smoke.py URL KERNEL... - asks without the token and with a wrong one, then has each kernel compute a sum over the REST and the WebSocket API. The token
# comes by the environment.
import json
import os
import sys
import urllib.error
import urllib.request
import uuid

import websocket

url, kernels, token = sys.argv[1], sys.argv[2:], os.environ["TOKEN"]
SUMS = {
    "python3": "print('sum', sum(range(101)))",
    "pyspark": "from pyspark.sql import SparkSession\n"
    "spark = SparkSession.builder.appName('stampede-smoke').config('spark.executor.memory', '512m').config('spark.driver.memory', '512m')"
    ".config('spark.ui.enabled', 'false').getOrCreate()\n"
    "print('sum', spark.sparkContext.parallelize(range(101), 4).sum())\nspark.stop()",
}
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(path, token=None, method="GET", body=None):
    headers = {"Authorization": "token " + token} if token else {}
    request = urllib.request.Request(url + path, headers=headers, method=method, data=json.dumps(body).encode() if body is not None else None)
    try:
        with opener.open(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


for wrong in (None, "0" * 64):
    status, _ = ask("/api/kernels", wrong)
    assert status == 403, f"it answers {status} {'with a wrong token' if wrong else 'without its token'}, not 403"


def compute(kernel):
    status, text = ask("/api/kernels", token, "POST", {"name": kernel})
    assert status == 201, f"kernel {kernel}: it answers {status}: {text[:200]}"
    identity = json.loads(text)["id"]
    try:
        socket = websocket.create_connection(
            url.replace("http", "ws", 1) + f"/api/kernels/{identity}/channels", header=["Authorization: token " + token], timeout=240, http_no_proxy=["*"]
        )
        header = {"msg_id": uuid.uuid4().hex, "username": "", "session": uuid.uuid4().hex, "msg_type": "execute_request", "version": "5.3"}
        content = {"code": SUMS[kernel], "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False, "stop_on_error": True}
        socket.send(json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}))
        out = ""
        while True:
            message = json.loads(socket.recv())
            if message.get("parent_header", {}).get("msg_id") != header["msg_id"]:
                continue
            kind, content = message["header"]["msg_type"], message["content"]
            if kind == "stream" and content["name"] == "stdout":
                out += content["text"]
            if kind == "error":
                sys.exit(f"kernel {kernel}: {content['ename']}: {content['evalue'].splitlines()[0] if content['evalue'] else ''}")
            if kind == "status" and content["execution_state"] == "idle":
                break
        socket.close()
    finally:
        ask(f"/api/kernels/{identity}", token, "DELETE")
    assert "sum 5050" in out.splitlines(), f"kernel {kernel} says {out[-200:]!r}, not 5050"


for kernel in kernels:
    compute(kernel)
print(f"403 without its token, and a sum is right in {', '.join(kernels)}")
