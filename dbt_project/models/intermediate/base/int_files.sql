-- One row per file that gave records: its number in the order of its hash, for models that group millions of rows by file.
select file_id, row_number() over (order by file_id) as file_no
from (select distinct file_id from {{ ref('int_facts') }})
