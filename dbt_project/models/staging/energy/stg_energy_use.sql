with source as (
    select * from {{ source('records', 'energy_use') }}
),

renamed as (
    select
        -- ids
        org_name,
        uscc,

        -- quantities, in the contract's units
{%- for column in ['electricity', 'natural_gas', 'gasoline', 'diesel', 'coal', 'lpg', 'heat', 'other_energy', 'water'] %}
        {{ amount(column) }} as {{ column }},
{%- endfor %}

        -- time
        month,
        cast(substr(month, 1, 4) as integer) as year,

        -- where it stands
        _file as file_id,
        _sheet as sheet,
        _row as sheet_row
    from source
)

select * from renamed
