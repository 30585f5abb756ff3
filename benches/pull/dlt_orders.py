"""The same orders through dlt's declarative REST source into SQLite: the last line printed is CPU seconds and peak MiB.

    python dlt_orders.py URL FOLDER LINES
"""

import os
import resource
import sys

url, folder, lines = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.environ["DLT_DATA_DIR"] = os.path.join(folder, "dlt")
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"

import sqlite3

import dlt
from dlt.sources.rest_api import rest_api_source

source = rest_api_source(
    {
        "client": {
            "base_url": url,
            "paginator": {"type": "cursor", "cursor_path": "next", "cursor_param": "page"},
        },
        "resources": [
            {
                "name": "orders",
                "primary_key": "id",
                "write_disposition": "append",
                "endpoint": {"path": "orders", "data_selector": "orders"},
            }
        ],
    }
)
database = os.path.join(folder, "dlt.db")
pipeline = dlt.pipeline(
    pipeline_name="orders",
    pipelines_dir=os.path.join(folder, "pipelines"),
    destination=dlt.destinations.sqlalchemy(f"sqlite:///{database}"),
    dataset_name="main",
)
pipeline.run(source)

# One table per level; SQLite keeps a dataset in a file of its own.
found = 0
for name in os.listdir(folder):
    if name.endswith(".db") and name.startswith(("dlt", "main")):
        with sqlite3.connect(os.path.join(folder, name)) as db:
            tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            found += sum(
                db.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]
                for table in tables
                if table.endswith("orders__lines")
            )
if found != lines:
    sys.exit(f"dlt loaded {found} lines of {lines}")

used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
seconds = sum(part.ru_utime + part.ru_stime for part in used)
print(seconds, max(part.ru_maxrss for part in used) / 1024)
