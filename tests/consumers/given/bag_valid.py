"""Validates a bag: every checksum, and that nothing is there that no manifest names."""

import json
import logging
import sys

import bagit

logging.disable(logging.CRITICAL)
bag = bagit.Bag(sys.argv[1])
bag.validate()
print(json.dumps({"payload": len(list(bag.payload_files())), "info": bag.info, "version": bag.version}))
