"""`python -m rramkit.table.schema`: the tables of `docs/table-format.md`."""

import sys

from rramkit.table import schema

sys.stdout.write(schema.markdown())
