-- Where each public column of an open dataset stands in each sheet.
select distinct sheets.dataset, columns.file_id, columns.sheet, columns.{{ name_of('column') }}, columns.letter
from {{ source('intake', 'columns') }} as columns
inner join {{ source('intake', 'sheets') }} as sheets
    on sheets.file_id = columns.file_id and sheets.sheet = columns.sheet
inner join {{ source('catalog', 'columns') }} as published
    on published.dataset = sheets.dataset and published.{{ name_of('column') }} = columns.{{ name_of('column') }} and published.published
