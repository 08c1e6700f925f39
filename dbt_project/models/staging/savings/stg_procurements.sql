{{ staged('procurements') }}
