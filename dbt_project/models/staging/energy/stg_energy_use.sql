select *, cast(substr(month, 1, 4) as integer) as year
from ({{ staged('energy_use') }}) as records
