"""The algorithms that the system tests validate: small programs, each with its own way to behave or to fail."""

from pathlib import Path

from tests.images import WrittenImage, script, write_archive
from tests.python_image import PYTHON, python_archive

#: One training program for many behaviours: the hyperparameter `mode` chooses.
_TRAIN = r"""
ML=/opt/ml
mode=$(sed 's/.*"mode": *"\([^"]*\)".*/\1/' $ML/input/config/hyperparameters.json)
host=$(sed 's/.*"current_host": *"\([^"]*\)".*/\1/' $ML/input/config/resourceconfig.json)
echo "mode $mode on $host"
echo "loss=0.5"
case "$mode" in
  plain) cat $ML/input/data/train/*.csv > $ML/model/model.csv
    mkdir -p $ML/output/data; echo kept > $ML/output/data/notes;;
  slow) sleep 8; cat $ML/input/data/train/*.csv > $ML/model/model.csv;;
  failure-file) printf 'the labels are missing' > $ML/output/failure; echo 'Traceback follows' >&2; exit 3;;
  markup) echo '[/bold] is no [tag]' >&2; exit 5;;
  ignored-failure) echo 'never mind' > $ML/output/failure; echo fine > $ML/model/model.csv;;
  exit-code) echo 'cannot open the lexicon' >&2; exit 7;;
  hang) echo ready > $ML/model/model.csv; while true; do sleep 1; done;;
  stubborn) trap '' TERM; echo kept > $ML/model/model.csv; while true; do sleep 1; done;;
  polite) trap 'echo partial > $ML/model/model.csv; exit 0' TERM; while true; do sleep 0.1; done;;
  memory) awk 'BEGIN { block = sprintf("%1000000s", ""); while (1) kept[i++] = block i }';;
  disk) dd if=/dev/zero of=$ML/model/big bs=1M count=3000;;
  links) ln -s /etc/passwd $ML/model/outside; ln -s ../../../etc/hostname $ML/model/climb
         echo fine > $ML/model/model.csv; ln -s model.csv $ML/model/inside;;
  tells) cat $ML/input/config/hyperparameters.json $ML/input/config/inputdataconfig.json; echo
         cat $ML/input/config/resourceconfig.json; echo; (cd $ML/input/data/train && find . -type f)
         echo x > $ML/model/told;;
  tabs) printf '[3]\tvalidation-rmse:64.3\n'; echo done > $ML/model/model.csv;;
  network) wget -q -T 3 -O /dev/null http://169.254.169.254/ && echo reached || echo 'no way out'
           echo x > $ML/model/x;;
  hosts) cp $ML/input/config/resourceconfig.json $ML/model/$host.json
         ls $ML/input/data/train > $ML/model/$host.files
         if [ "$host" = algo-2 ]; then echo hello from algo-2 | nc -l -p 7777 >/dev/null
         else for i in $(seq 50); do nc algo-2 7777 < /dev/null > $ML/model/heard && break; sleep 0.2; done; fi;;
  spot) C=$ML/checkpoints/$host  # goes on where it was interrupted, or works until it is
        if [ -f $C ]; then echo "resumed: $(cat $C)"; echo done > $ML/model/$host; exit 0; fi
        trap 'echo half > $C; exit 3' TERM; echo begun; while true; do sleep 0.1; done;;
  one-fails) [ "$host" = algo-2 ] && { echo 'algo-2 gives up' >&2; exit 4; }; while true; do sleep 0.1; done;;
esac
"""

_SERVE = rb"""
import json, os, socket, sys, time
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
MODE = os.environ.get("MODE", "plain")

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/ping":
            self.answer(503 if MODE == "never-ready" else 200, b"")
        else:
            self.answer(404, b"{}")
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if MODE == "too-large": self.answer(413, b"at most three rows")
        elif MODE == "media-type": self.answer(415, b"only application/x-parquet")
        elif MODE == "breaks": self.answer(500, b"division by zero in row 2")
        elif MODE == "role": self.answer(200, self.role())
        elif MODE == "tells": self.answer(200, self.told(body))
        elif MODE == "slow": time.sleep(3); self.answer(200, body)
        elif MODE == "cuts":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nhalf")
            self.close_connection = True
        elif MODE == "hangs": time.sleep(600)
        elif MODE == "dies": print("out of ideas", flush=True); os._exit(9)
        else: self.answer(200, b"".join(line + b";ok\n" for line in body.splitlines()))
    def told(self, body):
        facts = [socket.gethostname(), os.environ.get("WORKERS"), os.environ.get("LEVEL")]
        facts += [self.headers.get("Content-Type"), self.headers.get("Accept"), str(body.count(b"\n"))]
        return "|".join(map(str, facts)).encode() + b"|" + body.replace(b"\n", b"/")
    def role(self):
        place = os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
        if place is None:
            return b"nobody"
        host, _, path = place.removeprefix("http://").partition("/")
        connection = HTTPConnection(host, timeout=10)
        connection.request("GET", "/" + path)
        return connection.getresponse().read()
    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass

if MODE == "ends": sys.exit("no model can be loaded")
if sys.argv[1:] != ["serve"]: sys.exit(f"expected serve, got {sys.argv[1:]}")
files = sorted(os.listdir("/opt/ml/model")) if os.path.isdir("/opt/ml/model") else []
print("model:", ",".join(files), "batch:", os.environ.get("SAGEMAKER_BATCH"), flush=True)
ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""


def training_archive(directory: Path) -> WrittenImage:
    """`tests/train:1`: the training program above."""
    files = {"/usr/local/bin/train": script(_TRAIN)}
    return write_archive(directory / "train.tar", "tests/train:1", files)


def empty_archive(directory: Path) -> WrittenImage:
    """`tests/empty:1`: an image without a `train` program."""
    return write_archive(directory / "empty.tar", "tests/empty:1", {"/readme": b"nothing here\n"})


def serving_archive(directory: Path) -> WrittenImage:
    """`tests/serve:1`: the server above; its environment variable MODE chooses how it behaves."""
    files = {"/opt/program/serve.py": _SERVE}
    entrypoint = (PYTHON, "/opt/program/serve.py")
    return python_archive(directory / "serve.tar", "tests/serve:1", files, entrypoint=entrypoint)
