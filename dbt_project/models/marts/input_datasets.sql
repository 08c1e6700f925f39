-- Of which datasets each file has a sheet.
select distinct file_id, dataset
from {{ source('intake', 'sheets') }}
where dataset is not null
order by file_id, dataset
