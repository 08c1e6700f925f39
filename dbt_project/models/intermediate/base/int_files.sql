-- One row per file that gave records: its number in the order of its hash, for models that group millions of rows by file. The files
-- are numbered within the first digits of their hashes, so that no task has to take all of them.
with files as (
    select file_id, {{ file_bucket() }} as bucket, row_number() over (partition by {{ file_bucket() }} order by file_id) as n
    from (select distinct file_id from {{ ref('int_facts') }})
),

buckets as (
    select bucket, sum(files) over (order by bucket) - files as before from {{ ref('int_file_buckets') }}
)

select files.file_id, cast(buckets.before + files.n as bigint) as file_no
from files
inner join buckets on buckets.bucket = files.bucket
