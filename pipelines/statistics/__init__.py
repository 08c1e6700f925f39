"""From records to figures: the city's own tables and the dbt run over them."""
