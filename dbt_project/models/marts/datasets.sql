-- One row per contract: what it is, who decided that it opens, and how much there is of it.
with counted as (
    select
        found.dataset,
        sum(found.records) as records,
        count(*) as files,
        bool_or(files.synthetic) as synthetic,
        min(found.first_period) as first_period,
        max(found.last_period) as last_period
    from {{ ref('int_dataset_files') }} as found
    left join {{ ref('stg_files') }} as files on files.file_id = found.file_id
    group by found.dataset
)

select
    contracts.dataset,
    contracts.title_zh,
    contracts.title_en,
    contracts.theme,
    contracts.grain,
    contracts.frequency,
    contracts.opening,
    contracts.opening_attribute,
    contracts.opening_note,
    contracts.decided_by,
    contracts.decided_on,
    contracts.ground,
    contracts.description,
    contracts.description_en,
    cast(coalesce(counted.records, 0) as bigint) as rows,
    coalesce(counted.files, 0) as files,
    counted.first_period,
    counted.last_period,
    contracts.published,
    coalesce(counted.synthetic, false) as synthetic
from {{ source('catalog', 'contracts') }} as contracts
left join counted on counted.dataset = contracts.dataset
order by contracts.dataset
