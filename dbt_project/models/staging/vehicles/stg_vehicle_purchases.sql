{{ staged('vehicle_purchases') }}
