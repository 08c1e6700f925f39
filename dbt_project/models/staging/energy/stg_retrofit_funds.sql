with source as (
    select * from {{ source('records', 'retrofit_funds') }}
),

renamed as (
    select
        -- ids
        org_name,

        -- quantities
        {{ amount('planned_amount') }} as planned_amount,
        {{ amount('paid_amount') }} as paid_amount,

        -- time
        cast(fiscal_year as integer) as year,

        -- where it stands
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
