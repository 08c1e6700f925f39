{{ staged('utility_separation') }}
