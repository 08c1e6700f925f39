{{ staged('policies') }}
