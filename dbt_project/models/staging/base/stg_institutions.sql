select
    * exclude (division_code, energy_population, year),
    division_code as district,
    energy_population as people,
    cast(year as integer) as year
from ({{ staged('institutions') }}) as records
