{{ staged('vehicles') }}
