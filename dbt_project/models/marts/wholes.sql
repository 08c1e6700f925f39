select whole, part, relation
from {{ ref('stg_wholes') }}
