{{ staged('vehicle_costs') }}
