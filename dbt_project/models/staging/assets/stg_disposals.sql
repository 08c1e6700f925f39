with source as (
    select * from {{ source('records', 'disposals') }}
),

renamed as (
    select
        -- ids
        disposal_id,
        org_name,

        -- attributes
        method,
        area_kind,
        status,

        -- quantities
        {{ amount('area') }} as area,
        {{ amount('deal_amount') }} as deal_amount,
        {{ amount('treasury_amount') }} as treasury_amount,

        -- time
        cast(extract(year from sold_on) as integer) as year,

        -- where it stands
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
