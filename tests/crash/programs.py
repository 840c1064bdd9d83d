"""The algorithm that is validated: it writes down beside the service what it does, to be compared with the rest."""

from pathlib import Path

from tests.images import WrittenImage, script, write_archive
from tests.python_image import PYTHON, python_archive

TRAIN, SERVE = "crash/train:1", "crash/serve:1"
LINES = 40  # that a host prints, each with a metric
NOTES = 8  # that it prints on stderr
MODEL_BYTES, HEAVY_BYTES = 300_000, 12_000_000  # the second in two parts

#: What it tells goes into its log, and into the ledger: a directory of the machine that containers of the first account
#: have as a channel, one file for each job and host. `start TOKEN` for each time that the program began, `found STEP`
#: and `left STEP` of its checkpoint, `cache JOB` of a warm pool, `data SHA256`, `file SHA256 NAME`, `end TOKEN`.
_TRAIN = f"""
ML=/opt/ml
cd $ML
host=$(sed 's/.*"current_host": *"\\([^"]*\\)".*/\\1/' input/config/resourceconfig.json)
mode=$(sed 's/.*"mode": *"\\([^"]*\\)".*/\\1/' input/config/hyperparameters.json)
bytes=$(sed 's/.*"bytes": *"\\([^"]*\\)".*/\\1/' input/config/hyperparameters.json)
token=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \\n')
ledger=/dev/null
[ -d input/data/ledger ] && ledger=$ML/input/data/ledger/$TRAINING_JOB_NAME.$host
tell() {{ echo "$*" >> $ledger; echo "told $*"; }}
step=$ML/checkpoints/$host
keep() {{ echo $1 > $step.sagemaker-ignore; mv $step.sagemaker-ignore $step; }}
last() {{ [ -d checkpoints ] && tell left $(cat $step 2>/dev/null || echo none); }}
tell start $token
trap 'last; exit 3' TERM
[ -d checkpoints ] && tell found $(cat $step 2>/dev/null || echo none)
if [ -n "$SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY" ]; then
  tell cache $(cat $SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY/kept 2>/dev/null || echo none)
  echo $TRAINING_JOB_NAME > $SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY/kept
fi
if [ "$mode" = Pipe ]; then data=$(sha256sum < input/data/train_0)
else data=$(cd input/data/train && find . -type f | sort | xargs cat | sha256sum); fi
tell data $data
i=0
while [ $i -lt {LINES} ]; do
  i=$((i + 1))
  echo "line $i of $token loss=$i;"
  [ $((i % {LINES // NOTES})) = 0 ] && echo "note $i of $token" >&2
  [ -d checkpoints ] && keep $token-$i
  usleep 20000
done
mkdir -p output/data
head -c $bytes /dev/urandom > model/$host.bin
head -c 1000 /dev/urandom > output/data/$host.txt
tell file $(cd model && sha256sum $host.bin)
tell file $(cd output/data && sha256sum $host.txt)
last
tell end $token
"""

_SERVE = rb"""
import hashlib, os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
TOKEN = os.urandom(12).hex()

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.answer(b"")
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        time.sleep(0.02)
        self.answer(b"".join(line + b";" + TOKEN.encode() + b"\n" for line in body.splitlines()))
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass

print("start", TOKEN, flush=True)
for name in sorted(os.listdir("/opt/ml/model")):
    with open("/opt/ml/model/" + name, "rb") as file:
        print("model", name, hashlib.sha256(file.read()).hexdigest(), flush=True)
ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""


def training_archive(directory: Path) -> WrittenImage:
    """`crash/train:1`."""
    return write_archive(directory / "train.tar", TRAIN, {"/usr/local/bin/train": script(_TRAIN)})


def serving_archive(directory: Path) -> WrittenImage:
    """`crash/serve:1`."""
    files = {"/opt/program/serve.py": _SERVE}
    return python_archive(directory / "serve.tar", SERVE, files, entrypoint=(PYTHON, "/opt/program/serve.py"))
