"""Everything that can be fuzzed, by name."""

from tests.fuzz.archive_parsers import ARCHIVE_PARSERS
from tests.fuzz.data_parsers import DATA_PARSERS
from tests.fuzz.left_parsers import LEFT_PARSERS
from tests.fuzz.wire_parsers import WIRE_PARSERS

PARSERS = {parser.name: parser for parser in (*DATA_PARSERS, *ARCHIVE_PARSERS, *WIRE_PARSERS, *LEFT_PARSERS)}
