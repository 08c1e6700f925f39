with source as (
    select * from {{ source('records', 'retrofit_funds') }}
),

renamed as (
    select
        -- ids
        org_name,

        -- quantities
        cast(planned_amount as decimal(28, 6)) as planned_amount,
        cast(paid_amount as decimal(28, 6)) as paid_amount,

        -- time
        cast(fiscal_year as integer) as year,

        -- where it stands
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
