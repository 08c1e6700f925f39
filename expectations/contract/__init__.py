"""The contracts of the datasets: their model, their parser, and all of them together.

Belongs here: what other packages import from the modules of this folder. Not here: anything that looks at a spreadsheet or at data.
"""

from expectations.contract.collection import CONTRACTS, Contracts, load_contracts
from expectations.contract.model import (
    BESIDE,
    Column,
    Contract,
    ContractError,
    Control,
    Kind,
    OpenRows,
    Reference,
    Rule,
    Version,
    is_open,
)
from expectations.contract.parse import OF_DATASET, read_contract
from expectations.contract.parse_column import KINDS, OF_COLUMN
from expectations.contract.parse_rule import CODES, OF_RULE
from expectations.contract.units import header_key, unit_key, unit_table
from expectations.contract.words import CITY_WORDS, OF_CITY_WORDS, OF_WORDS

__all__ = [
    "BESIDE",
    "CITY_WORDS",
    "CODES",
    "CONTRACTS",
    "KINDS",
    "OF_CITY_WORDS",
    "OF_COLUMN",
    "OF_DATASET",
    "OF_RULE",
    "OF_WORDS",
    "Column",
    "Contract",
    "ContractError",
    "Contracts",
    "Control",
    "Kind",
    "OpenRows",
    "Reference",
    "Rule",
    "Version",
    "header_key",
    "is_open",
    "load_contracts",
    "read_contract",
    "unit_key",
    "unit_table",
]
