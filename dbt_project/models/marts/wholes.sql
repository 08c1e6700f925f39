select whole, part, relation
from {{ ref('seed_wholes') }}
