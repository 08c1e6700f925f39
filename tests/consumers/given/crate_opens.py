"""Opens a folder as an RO-Crate and looks for each file that the crate names."""

import hashlib
import json
import sys
from pathlib import Path

from rocrate.rocrate import ROCrate

folder = Path(sys.argv[1])
crate = ROCrate(folder)
files = [e for e in crate.data_entities if e.type == "File"]
wrong = [
    e.id for e in files
    if not (folder / e.id).is_file()
    or (e.get("sha256") and e["sha256"] != hashlib.sha256((folder / e.id).read_bytes()).hexdigest())
    or (e.get("contentSize") and int(e["contentSize"]) != (folder / e.id).stat().st_size)
]  # fmt: skip
print(json.dumps({"files": [e.id for e in files], "wrong": wrong, "name": crate.root_dataset["name"]}))
