-- Every file that was looked at, and what became of it. Names stay inside.
select file_id, status, coalesce(synthetic, false) as synthetic
from {{ source('intake', 'files') }}
order by file_id, status
