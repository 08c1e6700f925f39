-- One row per first digits of the hashes of files that gave records: how many such files there are. 4,096 rows at most.
select {{ file_bucket() }} as bucket, count(*) as files
from (select distinct file_id from {{ ref('int_facts') }})
group by bucket
