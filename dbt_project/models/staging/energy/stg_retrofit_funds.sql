select *, cast(fiscal_year as integer) as year
from ({{ staged('retrofit_funds') }}) as records
